//! A scenario: its description, validated, ready to run.
