//! The program as its users meet it: the built command, files in a folder of its own, and a model
//! server on this machine that answers, fails and hangs as it is told to.

mod support;

mod bad_places;
mod bad_rows;
mod bad_settings;
mod batch;
mod bench;
mod budget;
mod cai;
mod calls;
mod commands;
mod constitution_check;
mod continuing;
mod contract;
mod estimate;
mod events;
mod explain_miss;
mod first_steps;
mod formats;
mod full_disk;
mod kills;
mod model_errors;
mod only_failures;
mod quick_start;
mod real_data;
mod resume;
mod samples;
mod signals;
mod steering;
mod together;
mod wire;
