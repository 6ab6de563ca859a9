//! The program as its users meet it: the built command, files in a folder of its own, and a model
//! server on this machine that answers, fails and hangs as it is told to.

mod support;

mod audit;
mod bad_places;
mod bad_rows;
mod bad_settings;
mod batch;
mod bench;
mod browser;
mod budget;
mod cai;
mod calls;
mod commands;
mod constitution_check;
mod constitution_import;
mod constitution_test;
mod continuing;
mod contract;
mod estimate;
mod events;
mod explain_miss;
mod export_rows;
mod exports;
mod first_steps;
mod formats;
mod full_disk;
mod gateway;
mod imports;
mod kills;
mod metrics;
mod model_errors;
mod only_failures;
#[cfg(feature = "otlp")]
mod otlp;
mod pages;
mod parquet_in_python;
mod prefer;
mod quick_start;
mod real_data;
mod recording;
mod rejudge;
mod remote_hub;
mod remote_reading;
mod remote_refusals;
mod remote_writing;
mod resume;
mod review;
mod review_pages;
mod samples;
mod sign_in;
mod signals;
mod steering;
mod together;
mod wire;
