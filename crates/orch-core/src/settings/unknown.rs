//! What nobody reads: unknown sections, keys and variables, each with the nearest known one.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::document::Document;
use super::error::{Place, SettingsError, SettingsWarning};
use super::key::Section;
use super::kind::{cut, type_name};
use super::load::Env;
use super::suggest::{did_you_mean, nearest};
use super::table::{AGENT_ENV, file_sections, keys, section};
use crate::ids::{AgentName, StageName};

/// The most tables of one kind in a file, such as `[agents.ROLE]`.
pub(super) const MAX_INSTANCES: usize = 64;
/// Unknown keys beyond these are not looked at: the file is not an `orch.toml`.
const MAX_ERRORS: usize = 50;

/// Reports what a file has that nobody reads.
pub(super) fn check(document: &Document<'_>) -> Vec<SettingsError> {
    let mut walk = Walk { document, errors: Vec::new() };
    for (key, value) in document.root() {
        match section(key.get_ref()) {
            Some(section) => walk.section(section, value),
            None => walk.unknown_section(key, value),
        }
    }
    walk.errors
}

struct Walk<'d, 'a> {
    document: &'d Document<'a>,
    errors: Vec<SettingsError>,
}

type Entry<'e, T> = &'e Spanned<T>;

impl Walk<'_, '_> {
    fn report(&mut self, span: std::ops::Range<usize>, message: String, hint: Option<String>) {
        if self.errors.len() < MAX_ERRORS {
            self.errors.push(SettingsError::new(self.document.place(span), message, hint));
        }
    }

    fn full(&self) -> bool {
        self.errors.len() >= MAX_ERRORS
    }

    fn section(&mut self, section: &Section, value: Entry<'_, DeValue<'_>>) {
        let DeValue::Table(table) = value.get_ref() else {
            let given = type_name(value.get_ref());
            let message = format!("`{}` must be a table, not {given}", section.name);
            let hint = Some(format!("write [{}]", header(section)));
            return self.report(value.span(), message, hint);
        };
        match section.instance {
            None => self.keys(section, section.name, table),
            Some(_) => self.instances(section, table),
        }
    }

    fn instances(&mut self, section: &Section, table: &DeTable<'_>) {
        if table.len() > MAX_INSTANCES {
            let span = table.keys().next().map_or(0..0, Spanned::span);
            let (count, header) = (table.len(), header(section));
            let message = format!("{count} tables [{header}]; at most {MAX_INSTANCES} are read");
            return self.report(span, message, None);
        }
        for (name, value) in table {
            let plain = name.get_ref().as_ref();
            let path = format!("{}.{}", section.name, shown(plain));
            let DeValue::Table(keys) = value.get_ref() else {
                let hint = Some(format!("write [{}]", header(section)));
                let message = if section.keys.iter().any(|key| key.name == plain) {
                    format!("`{path}` belongs into a table of its own")
                } else {
                    format!("`{path}` must be a table, not {}", type_name(value.get_ref()))
                };
                self.report(name.span(), message, hint);
                continue;
            };
            let rule = match section.name {
                "agents" => AgentName::new(plain).map(drop),
                _ => StageName::new(plain).map(drop),
            };
            if let Err(error) = rule {
                self.report(name.span(), format!("`{path}`: a name is {}", error.rule), None);
            }
            self.keys(section, &path, keys);
        }
    }

    fn keys(&mut self, section: &Section, path: &str, table: &DeTable<'_>) {
        for key in table.keys() {
            let name = key.get_ref().as_ref();
            if self.full() || section.keys.iter().any(|known| known.name == name) {
                continue;
            }
            let own = nearest(name, section.keys.iter().map(|key| key.name));
            let hint = own.map(|near| format!("{path}.{near}")).or_else(|| elsewhere(name));
            let hint = hint.or_else(|| near_path(&format!("{}.{name}", section.name)));
            let message = format!("unknown key `{path}.{}`", shown(name));
            self.report(key.span(), message, did_you_mean(hint.as_deref()));
        }
    }

    fn unknown_section(
        &mut self,
        key: Entry<'_, std::borrow::Cow<'_, str>>,
        value: Entry<'_, DeValue<'_>>,
    ) {
        let name = key.get_ref().as_ref();
        if self.full() {
            return;
        }
        let DeValue::Table(table) = value.get_ref() else {
            let hint = elsewhere(name).or_else(|| near_key(name));
            let message = format!("unknown key `{}` outside of any section", shown(name));
            return self.report(key.span(), message, did_you_mean(hint.as_deref()));
        };
        let near = nearest(name, file_sections().map(|section| section.name));
        if table.is_empty() || near.is_none() {
            let message = format!("unknown section `[{}]`", shown(name));
            let hint = near.map_or_else(all_sections, |near| format!("did you mean `[{near}]`?"));
            return self.report(key.span(), message, Some(hint));
        }
        for (inner, _) in table {
            if self.full() {
                return;
            }
            let inner_name = inner.get_ref().as_ref();
            let message = format!("unknown key `{}.{}`", shown(name), shown(inner_name));
            let path = near.and_then(|near| in_section(near, inner_name));
            self.report(inner.span(), message, did_you_mean(path.as_deref()));
        }
    }
}

fn all_sections() -> String {
    let names: Vec<&str> = file_sections().map(|section| section.name).collect();
    format!("the sections are {}", names.join(", "))
}

/// The header of a section's table: `deploy`, `agents.ROLE`.
fn header(section: &Section) -> String {
    match section.instance {
        None => section.name.to_owned(),
        Some(word) => format!("{}.{word}", section.name),
    }
}

/// A key of the same name in another section.
fn elsewhere(name: &str) -> Option<String> {
    let mut same = keys().filter(|(section, key)| !section.name.is_empty() && key.name == name);
    same.next().map(|(section, key)| key.path(section.instance))
}

/// The key with the nearest name in any section.
fn near_key(name: &str) -> Option<String> {
    let names = keys().filter(|(section, _)| !section.name.is_empty()).map(|(_, key)| key.name);
    nearest(name, names).and_then(elsewhere)
}

/// The nearest key of a section; the section itself where no key is near.
fn in_section(name: &str, key: &str) -> Option<String> {
    let section = section(name)?;
    if section.instance.is_some() {
        return Some(format!("{name}.{}", shown(key)));
    }
    let near = nearest(key, section.keys.iter().map(|known| known.name));
    Some(near.map_or_else(|| format!("[{name}]"), |near| format!("{name}.{near}")))
}

/// The nearest full path among all keys.
fn near_path(path: &str) -> Option<String> {
    let paths: Vec<String> = keys()
        .filter(|(section, _)| !section.name.is_empty())
        .map(|(section, key)| key.path(section.instance))
        .collect();
    nearest(path, paths.iter().map(String::as_str)).map(str::to_owned)
}

/// A name out of a file, fit for a message.
fn shown(name: &str) -> String {
    cut(&name.escape_debug().to_string())
}

/// Warns of variables that look like slips of a setting's name; others may be anybody's.
pub(super) fn check_env(env: &Env) -> Vec<SettingsWarning> {
    let known: Vec<&str> =
        keys().map(|(_, key)| key.env).filter(|env| !env.contains('*')).collect();
    let ours = env.keys().filter(|name| name.starts_with("ORCH_"));
    let odd = ours.filter(|name| {
        let name = name.as_str();
        !known.contains(&name) && !AGENT_ENV.contains(&name) && !of_instance(name)
    });
    let near = odd.filter_map(|name| Some((name, near_variable(name, &known)?)));
    near.map(|(name, near)| SettingsWarning {
        place: Place::Env { name: cut(&name.escape_debug().to_string()) },
        message: "not a setting, so it changes nothing".to_owned(),
        hint: did_you_mean(Some(near)),
    })
    .collect()
}

fn of_instance(name: &str) -> bool {
    keys().filter_map(|(_, key)| key.env.split_once('*')).any(|(head, tail)| {
        name.strip_prefix(head)
            .and_then(|rest| rest.strip_suffix(tail))
            .is_some_and(|i| !i.is_empty())
    })
}

fn near_variable<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    // Three slips in a whole variable name: beyond that it is another name.
    let near = |known: &&str| strsim::damerau_levenshtein(name, known) <= 3;
    known.iter().copied().filter(|_| name.len() <= 100).find(near)
}
