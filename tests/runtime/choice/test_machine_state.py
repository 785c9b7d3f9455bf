from edge_arseg.runtime.choice import machine_state as module
from edge_arseg.runtime.choice.machine_state import machine_state
from edge_arseg.runtime.device.file_tree import FileTree


def test_another_power_mode_of_a_board_is_another_machine(tmp_path, monkeypatch):
    """The fastest engine of MAXN need not be that of 7W, where cores and multiprocessors are off."""
    status = tmp_path / "var/lib/nvpmodel/status"
    status.parent.mkdir(parents=True)
    monkeypatch.setattr(module, "FileTree", lambda: FileTree(tmp_path))
    states = [machine_state()]
    for text in ("pmode:0000 fmode:quiet", "pmode:0002 fmode:quiet", "pmode:0002 fmode:cool"):
        status.write_text(text)
        states.append(machine_state())
    assert [state["power mode"] for state in states] == [None, 0, 2, 2]
    assert states[2] == states[3]
