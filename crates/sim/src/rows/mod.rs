//! Tables of the simulator.
