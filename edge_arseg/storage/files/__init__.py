"""Files that are written: which is which, where one may be written, how it is made whole, who writes to it now."""
