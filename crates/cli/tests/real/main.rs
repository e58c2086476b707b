//! The command on captures of real traffic: it survives all of them, and it agrees with tshark on Multipath TCP.
//!
//! The captures belong to others and are not part of the repository. `SUBFLOW_DATA` names the folder that holds
//! `formats` and `real`; without it, they are looked for beside the workspace.

mod agreement;
mod bounded;
mod captures;
mod survival;
mod tshark;
