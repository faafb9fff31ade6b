//! mosaicd: a multipoint conferencing unit.
