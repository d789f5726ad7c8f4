//! Every gate of S1 on lawful, faulty and hostile artifacts: the right verdict for the right
//! reason, and properties over arbitrary bytes.

mod architecture;
mod development;
mod files;
mod guards;
mod hostile;
mod plain;
mod properties;
mod review;
mod suites;
mod support;
