//! The conformance suite: what every database engine has to do alike. Each case is a function of
//! an [`Engine`]; a second engine runs the same list.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod apply;
mod breakers;
mod care;
mod channels;
mod claim;
mod concurrency;
mod constraints;
mod damage;
mod deploys;
mod engine;
mod fencing;
mod gate;
mod measure;
mod measure_prune;
mod money;
mod ownership;
mod prune;
mod random;
mod reads;
mod rows;
mod submit;

use engine::Engine;

macro_rules! on_both {
    ($($module:ident :: { $($case:ident),* $(,)? })*) => {
        on_sqlite! { $($module :: { $($case),* })* }
        mod postgres {
            $(mod $module {
                $(#[test]
                fn $case() {
                    crate::$module::$case(&crate::Engine::postgres(crate::engine::ONE));
                })*
            })*
        }
    };
}

macro_rules! on_sqlite {
    ($($module:ident :: { $($case:ident),* $(,)? })*) => {
        mod sqlite {
            $(mod $module {
                $(#[test]
                fn $case() {
                    crate::$module::$case(&crate::Engine::sqlite(crate::engine::ONE));
                })*
            })*
        }
    };
}

on_both! {
    submit::{ keys_are_numbered, the_same_request_is_one_task, what_cannot_be_stored_is_refused,
        registration_is_idempotent }
    claim::{ oldest_first_and_one_at_a_time, priority_goes_first, limits_hold,
        attempts_count_only_finished_work, a_deferred_job_waits_for_its_time }
    fencing::{ a_stale_run_changes_nothing, idle_guards_refuse_a_claimed_job,
        a_cancelled_run_finds_itself_fenced, only_the_open_run_is_recorded }
    channels::{ a_shut_account_keeps_its_own_jobs_waiting_and_opens_by_itself,
        a_chain_takes_the_first_that_is_open, another_route_sets_those_going_who_wait,
        an_agent_of_no_known_way_is_claimed_as_ever,
        accounts_and_agents_have_as_many_runs_as_they_may, questions_are_kept_with_their_answers }
    money::{ calls_are_added_up, what_is_spent_is_known_by_task_repository_and_day,
        a_call_is_noted_under_its_fence_and_settled_by_whoever_knows,
        a_session_s_totals_are_those_of_its_last_call,
        what_worked_beside_is_compared_and_what_was_left_is_ended }
    apply::{ a_task_goes_through_its_pipeline, a_failure_in_the_middle_leaves_nothing,
        every_way_back_clears_the_owner, alerts_are_not_repeated, a_hold_is_always_explained }
    breakers::{ a_shared_fault_pauses_its_channel_once_for_all,
        one_probe_at_a_time_is_let_through_until_it_works, three_times_by_one_task_are_enough,
        faults_apart_in_time_or_kind_are_not_shared, a_stamped_channel_is_shared_by_repositories,
        forged_breakers_are_refused }
    gate::{ pause_steps_aside_and_resume_takes_the_place_again, held_tasks_block_nobody,
        frozen_lets_nobody_in, finished_tasks_conflict, the_view_shows_who_waits_and_why,
        switched_off_it_admits_everybody, stages_before_the_gate_wait_for_nobody,
        stages_behind_the_gate_give_the_slot_free, freeze_and_pause_keep_to_the_guarded_stages,
        a_change_of_the_guarded_stages_is_felt, a_dead_task_never_wedges_its_gate }
    ownership::{ a_session_is_kept_with_its_run,
        every_way_back_clears_and_the_claim_begins_anew,
        whoever_lost_a_job_is_refused_wherever_it_stands, a_fence_is_demanded_in_all_its_parts,
        the_same_end_delivered_twice_counts_once }
    rows::{ each_status_has_its_columns_and_no_others }
    constraints::{ forged_rows_are_refused, rows_that_may_not_change_do_not }
    damage::{ the_incident, garbage_is_an_error_and_the_queue_moves_on,
        an_impossible_status_is_reported, a_task_without_a_job_is_found }
    concurrency::{ nothing_is_claimed_twice }
    prune::{ due_is_what_the_rule_says, a_task_goes_with_all_that_is_its_own_and_nothing_else,
        a_step_is_bounded_and_the_next_goes_on, records_go_after_their_time,
        numbers_of_events_are_never_given_again, the_schema_lets_no_other_event_go }
    deploys::{ an_intent_stands_before_its_result,
        another_run_takes_a_deploy_up_and_the_first_one_is_refused,
        a_target_has_one_owner_and_a_dead_one_is_followed,
        a_lease_that_ran_out_keeps_its_owner_from_acting, a_monitor_is_one_workers_and_ends_once,
        a_next_deploy_supersedes_the_watch_before_it, a_deploy_whose_task_is_over_is_given_up,
        forged_deploys_are_refused }
    reads::{ events_resume_and_filter, tasks_are_paged_and_filtered, the_outbox_delivers_once,
        one_worker_at_a_time_has_an_alert,
        workers_are_remembered, wakeups_look_ahead, subscribers_are_woken }
    care::{ reopening_without_closing_keeps_everything, a_healthy_database_has_no_complaints,
        a_newer_database_is_refused }
}

/// What only a database in a file can do, or suffer.
mod file {
    on_sqlite! {
        care::{ a_backup_is_a_whole_database, a_damaged_database_is_copied_as_it_is, the_file_is_private,
            a_file_that_is_no_database_is_refused }
        constraints::{ types_are_checked }
        damage::{ garbage_past_the_checks_is_an_error_too,
            a_row_that_can_not_be_mended_keeps_no_other_from_it }
        concurrency::{ commits_are_shared }
    }
}
