from edge_arseg.cli.output import print_fields, print_table


def test_brackets_are_text_and_not_markup(capsys):
    print_table("[x] title", ["", "do"], [("torch", "pip install 'edge-arseg[host]'")], left=True)
    print_fields("[y] title", [("frame", "uint8[720, 960, 3]"), ("name", "[bold]")])
    out = capsys.readouterr().out
    for text in ("[x] title", "'edge-arseg[host]'", "[y] title", "uint8[720, 960, 3]", "[bold]"):
        assert text in out
