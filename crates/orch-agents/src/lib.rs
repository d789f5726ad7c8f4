//! Agent adapters: brief to argv, output to events. Never spawns.
