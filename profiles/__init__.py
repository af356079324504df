"""The shipped profiles; a package, so that an installed envsmith finds them."""
