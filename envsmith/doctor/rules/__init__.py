"""Rules of the doctor: pure functions from facts to findings."""
