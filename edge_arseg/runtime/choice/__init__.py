"""Which bundle and engine run where none is named: trials on this machine, remembered."""
