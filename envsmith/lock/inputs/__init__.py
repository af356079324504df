"""What a lock is made from: the options, the profile and the requirements."""
