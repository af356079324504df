"""Tests of envsmith.index.direct_references."""
