"""A report of records: what it says (``content``), its plots, and what it is written as (``formats``)."""
