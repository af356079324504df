"""`envsmith download`: files of locks in a wheelhouse."""
