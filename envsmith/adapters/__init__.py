"""The world: each adapter fills a port; it carries, and never decides."""
