//! Max-min fair rates of flows on given paths (progressive filling).
