//! GOST R 34.10-2012 signatures.
