//! What a user of the command line sees without a cluster.

mod input;
mod one_shot;
mod plugin;
mod query;
