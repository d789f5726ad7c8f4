//! One turn of an agent.

use std::io::{self, Write};
use std::path::PathBuf;

use agent_client_protocol::schema::ProtocolVersion;
use agent_client_protocol::v1::ConnectionTo;
use agent_client_protocol::v1::schema::{
    ContentBlock, InitializeRequest, InitializeResponse, LoadSessionRequest, NewSessionRequest,
    PermissionOption, PermissionOptionKind, PromptRequest, RequestPermissionOutcome,
    RequestPermissionRequest, RequestPermissionResponse, ResumeSessionRequest,
    SelectedPermissionOutcome, SessionId, SessionNotification, StopReason, TextContent,
};
use agent_client_protocol::{Agent as AgentRole, Client, Error};
use serde_json::{Value, json};

use crate::child::Agent;
use crate::lines::Lines;

/// What is to be done.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The agent's program and its arguments.
    pub argv: Vec<String>,
    /// The folder it works in, absolute.
    pub directory: PathBuf,
    /// The session that is taken up; a new one where that is `None` or the agent can't.
    pub resume: Option<String>,
    /// What it is asked.
    pub prompt: String,
}

/// How a turn ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// The agent ended its turn.
    Turn,
    /// The agent stopped short: a limit, a refusal, a cancellation.
    Short,
    /// The agent reported an error, or there was no agent to talk to.
    Failed,
}

/// Plays one turn and tells what happens on `out`; never panics on what an agent sends.
pub fn run(plan: &Plan, out: impl Write + Send + 'static) -> Ended {
    let lines = Lines::new(out);
    let told = match Agent::start(&plan.argv) {
        Ok((agent, pipes)) => {
            let (to, from) = pipes.split();
            let transport = agent_client_protocol::Lines::new(to, from);
            let turn = connect(plan, transport, &lines);
            let told = futures::executor::block_on(turn);
            agent.end();
            told
        }
        Err(error) => Err(not_started(plan, &error)),
    };
    told.unwrap_or_else(|error| {
        let data = error.data.clone().unwrap_or_default();
        lines.error(i32::from(error.code).into(), &error.message, &data);
        Ended::Failed
    })
}

fn not_started(plan: &Plan, error: &io::Error) -> Error {
    let program = plan.argv.first().map_or("", String::as_str);
    Error::new(-32000, format!("the agent's program {program} can't be started: {error}"))
}

async fn connect(
    plan: &Plan,
    transport: impl agent_client_protocol::ConnectTo<Client> + 'static,
    lines: &Lines,
) -> Result<Ended, Error> {
    let (updates, permissions) = (lines.clone(), lines.clone());
    Client
        .v1()
        .on_receive_notification(
            async move |notification: SessionNotification, _| {
                let update = serde_json::to_value(&notification.update).unwrap_or_default();
                updates.update(&update);
                Ok(())
            },
            agent_client_protocol::on_receive_notification!(),
        )
        .on_receive_request(
            async move |request: RequestPermissionRequest, responder, _| {
                responder.respond(grant(&request, &permissions))
            },
            agent_client_protocol::on_receive_request!(),
        )
        .connect_with(transport, async |agent: ConnectionTo<AgentRole>| {
            turn(plan, &agent, lines).await
        })
        .await
}

async fn turn(plan: &Plan, agent: &ConnectionTo<AgentRole>, lines: &Lines) -> Result<Ended, Error> {
    let hello = InitializeRequest::new(ProtocolVersion::V1);
    let agent_is = agent.send_request(hello).block_task().await?;
    let session = session(plan, &agent_is, agent, lines).await?;
    lines.session(&session.to_string());
    let text = ContentBlock::Text(TextContent::new(plan.prompt.clone()));
    let answer = agent.send_request(PromptRequest::new(session, vec![text])).block_task().await?;
    let told = serde_json::to_value(&answer).unwrap_or_default();
    lines.result(&told["stopReason"], &usage(&told));
    Ok(match answer.stop_reason {
        StopReason::EndTurn => Ended::Turn,
        _ => Ended::Short,
    })
}

/// Where agents say what a turn consumed; the protocol has no settled place yet.
fn usage(answer: &Value) -> Value {
    let places = [&answer["usage"], &answer["_meta"]["usage"], &answer["_meta"]["quota"]];
    places.into_iter().find(|usage| usage.is_object()).cloned().unwrap_or_else(|| json!(null))
}

/// The session that is to be taken up, where the agent can and still has it, else a new one.
async fn session(
    plan: &Plan,
    agent_is: &InitializeResponse,
    agent: &ConnectionTo<AgentRole>,
    lines: &Lines,
) -> Result<SessionId, Error> {
    if let Some(id) = &plan.resume {
        let id = SessionId::new(id.clone());
        lines.mute(true);
        let taken_up = take_up(id.clone(), plan, agent_is, agent).await;
        lines.mute(false);
        match taken_up {
            Some(Ok(())) => return Ok(id),
            Some(Err(error)) => eprintln!("the session {id} can't be taken up: {}", error.message),
            None => eprintln!("the agent can't take sessions up; a new one begins"),
        }
    }
    let begun = agent.send_request(NewSessionRequest::new(&plan.directory)).block_task().await?;
    Ok(begun.session_id)
}

/// `None` where the agent has no way to.
async fn take_up(
    id: SessionId,
    plan: &Plan,
    agent_is: &InitializeResponse,
    agent: &ConnectionTo<AgentRole>,
) -> Option<Result<(), Error>> {
    let can = &agent_is.agent_capabilities;
    if can.session_capabilities.resume.is_some() {
        let request = ResumeSessionRequest::new(id, &plan.directory);
        return Some(agent.send_request(request).block_task().await.map(drop));
    }
    if can.load_session {
        let request = LoadSessionRequest::new(id, &plan.directory);
        return Some(agent.send_request(request).block_task().await.map(drop));
    }
    None
}

/// Grants what is asked, this once where that is offered: what a run may reach is bounded by the
/// sandbox around it, never by its own questions.
fn grant(request: &RequestPermissionRequest, lines: &Lines) -> RequestPermissionResponse {
    let tool = request.tool_call.fields.title.clone().unwrap_or_default();
    let option = [PermissionOptionKind::AllowOnce, PermissionOptionKind::AllowAlways]
        .into_iter()
        .find_map(|kind| request.options.iter().find(|option| option.kind == kind));
    lines.permission(&tool, option.is_some());
    let outcome = match option {
        Some(PermissionOption { option_id, .. }) => {
            RequestPermissionOutcome::Selected(SelectedPermissionOutcome::new(option_id.clone()))
        }
        None => RequestPermissionOutcome::Cancelled,
    };
    RequestPermissionResponse::new(outcome)
}
