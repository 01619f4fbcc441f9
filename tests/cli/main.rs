//! What a user of the command line sees without a cluster.

mod one_shot;
