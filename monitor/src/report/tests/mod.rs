//! Every form of a report, compared with pages that somebody has looked at; and what no page may do, whatever it is about.

mod fixture;
mod model;
mod pages;
