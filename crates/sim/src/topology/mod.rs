//! Which nodes and links there are: fat-tree, leaf-spine, dumbbell, two paths, multihomed hosts, or any other.
