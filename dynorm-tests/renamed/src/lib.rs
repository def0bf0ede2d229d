//! Renamed.
