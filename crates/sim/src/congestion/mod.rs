//! Congestion control: the windows of all subflows of one connection. One algorithm a file.
