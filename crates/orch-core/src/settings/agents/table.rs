//! One table as it was read.

use super::keys::{
    ACCOUNT, ADAPTER, ARGS, COMMAND, ENV, FALLBACK, FALLBACK_ON, HOME, MAX_CONCURRENCY, MODEL,
    PROMPT, REPEATS, RESUME, SCRIPT, SECTION, STALL, STEPS, TIMEOUT,
};
use crate::settings::error::{Place, SettingsError};
use crate::settings::reader::{Found, Reader};

/// What one table says.
pub(super) struct Table<'a> {
    pub(super) role: &'a str,
    pub(super) header: Option<Place>,
    pub(super) adapter: Option<Found>,
    pub(super) command: Option<Found>,
    pub(super) script: Option<Found>,
    pub(super) prompt: Option<Found>,
    pub(super) timeout: Option<Found>,
    pub(super) stall: Option<Found>,
    pub(super) env: Option<Found>,
    pub(super) account: Option<Found>,
    pub(super) fallback: Option<Found>,
    pub(super) fallback_on: Option<Found>,
    pub(super) max_concurrency: Option<Found>,
    pub(super) model: Option<Found>,
    pub(super) args: Option<Found>,
    pub(super) resume: Option<Found>,
    pub(super) home: Option<Found>,
    pub(super) steps: Option<Found>,
    pub(super) repeats: Option<Found>,
}

impl<'a> Table<'a> {
    pub(super) fn read(reader: &mut Reader<'_>, role: &'a str) -> Self {
        let mut get = |key| reader.found(key, Some(role));
        Self {
            role,
            adapter: get(&ADAPTER),
            command: get(&COMMAND),
            script: get(&SCRIPT),
            prompt: get(&PROMPT),
            timeout: get(&TIMEOUT),
            stall: get(&STALL),
            env: get(&ENV),
            account: get(&ACCOUNT),
            fallback: get(&FALLBACK),
            fallback_on: get(&FALLBACK_ON),
            max_concurrency: get(&MAX_CONCURRENCY),
            model: get(&MODEL),
            args: get(&ARGS),
            resume: get(&RESUME),
            home: get(&HOME),
            steps: get(&STEPS),
            repeats: get(&REPEATS),
            header: reader.header(SECTION.name, role),
        }
    }

    /// Where the table is, or, for one made of environment variables, its first variable.
    pub(super) fn place(&self) -> Option<Place> {
        let found = [&self.adapter, &self.command, &self.script, &self.prompt];
        let more = [
            &self.timeout,
            &self.stall,
            &self.env,
            &self.account,
            &self.fallback,
            &self.fallback_on,
            &self.max_concurrency,
        ];
        let rest = [&self.model, &self.args, &self.resume, &self.home, &self.steps, &self.repeats];
        let mut all = found.into_iter().chain(more).chain(rest).flatten();
        self.header.clone().or_else(|| all.next().map(|found| found.place.clone()))
    }

    pub(super) fn error(
        &self,
        found: Option<&Found>,
        message: String,
        hint: &str,
    ) -> SettingsError {
        let place = found.map(|found| found.place.clone()).or_else(|| self.place());
        SettingsError::new(place.unwrap_or(Place::Default), message, Some(hint.to_owned()))
    }
}
