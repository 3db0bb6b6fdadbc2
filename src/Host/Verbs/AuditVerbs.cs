using System.Collections.Immutable;
using System.CommandLine;
using System.Text.Json;
using Groundwork.Host.Api;
using Groundwork.Host.CommandLine;
using Groundwork.Host.Output;
using Groundwork.Kernel.Hosting;
using Groundwork.Kernel.Hosting.Logging;
using Groundwork.Kernel.Security;
using Groundwork.Kernel.Storage;
using Groundwork.Wire;
using Groundwork.Wire.Contracts;
using Microsoft.Extensions.Logging;
using Verb = Groundwork.Host.CommandLine.Verb;

namespace Groundwork.Host.Verbs;

/// <summary><c>audit list</c> and <c>audit verify</c>.</summary>
internal static class AuditVerbs
{
    private static readonly Option<string?> Principal = new("--principal")
    {
        Description = "Only of this one, such as operator:alice", HelpName = "NAME",
    };

    private static readonly Option<string?> Action = new("--action")
    {
        Description = "Only this action, such as refused", HelpName = "ACTION",
    };

    private static readonly Option<string?> Target = new("--target")
    {
        Description = "Only with this in the target", HelpName = "TEXT",
    };

    private static readonly Option<string?> Outcome = new("--outcome")
    {
        Description = "Only this outcome: ok, an error code, or refused for all but ok", HelpName = "OUTCOME",
    };

    private static readonly Option<string?> Since = new("--since")
    {
        Description = "Only from this time on, such as 2026-11-21T08:00:00Z", HelpName = "TIME",
    };

    private static readonly Option<string?> Until = new("--until")
    {
        Description = "Only before this time", HelpName = "TIME",
    };

    private static readonly Option<bool> Offline = new("--offline")
    {
        Description = "Open the store itself, where no node runs",
    };

    public static Command Create() =>
        new Verb("audit", "Show or verify the audit trail.", "audit list --action refused", run: null)
        {
            new Verb("list", "List the audit trail, newest first.", "audit list --principal operator:alice", ListAsync)
            {
                Principal, Action, Target, Outcome, Since, Until, SharedOptions.Limit,
            },
            ProcessFlags.With(
                new Verb("verify", "Verify that nothing was edited, cut or swapped.", "audit verify", VerifyAsync)
                {
                    Offline,
                }),
        };

    private static async Task<int> ListAsync(Call call)
    {
        using var connection = call.Connect();
        var path = ApiPaths.With(
            "audit", ("principal", call.Get(Principal)), ("action", call.Get(Action)), ("target", call.Get(Target)),
            ("outcome", call.Get(Outcome)), ("since", call.Get(Since)), ("until", call.Get(Until)),
            ("limit", call.Get(SharedOptions.Limit)));
        var answer = await connection.GetAsync(path, call.Cancellation);
        var trail = answer.Read(WireJson.Lenient.AuditList);
        call.Answer.Print(answer.Document, () => trail.Items.Aggregate(
            new Table("AT", "PRINCIPAL", "ACTION", "TARGET", "OUTCOME", "COUNT", "ADDRESS", "DETAIL"),
            (table, entry) => table.Add(
                ReadVerbs.Text(entry.At), entry.Principal, entry.Action, entry.Target, entry.Outcome,
                ReadVerbs.Text(entry.Count), entry.Address, entry.Detail)));
        return ExitCodes.Ok;
    }

    private static async Task<int> VerifyAsync(Call call)
    {
        if (call.Get(Offline)) return await VerifyOfflineAsync(call);
        using var connection = call.Connect();
        using var progress = new Progress(call.Terminal, call.Time, "verifying");
        var answer = await connection.SendAsync(ApiRequest.Post("audit/verify"), call.Cancellation);
        var verification = answer.Read(WireJson.Lenient.AuditVerification);
        call.Answer.Print(answer.Document, Text(verification));
        return verification.Intact ? ExitCodes.Ok : ExitCodes.Fault;
    }

    /// <summary>Without a node: after a crash, or where nobody trusts the program that keeps the trail.</summary>
    private static async Task<int> VerifyOfflineAsync(Call call)
    {
        if (call.Parsed.GetValue(SharedOptions.Server) is not null)
            throw VerbFailure.Usage("--offline opens the store of this machine's node; --server does not go with it");
        var configuration = ProcessFlags.Require(call, call.Surroundings.WorkingDirectory, ApiTarget.SystemDirectory);
        if (configuration.Follow is not null)
            throw VerbFailure.Usage("a node that follows another has no store to verify");
        if (!configuration.Database.IsPostgres
            && !File.Exists(Path.Combine(configuration.DataDirectory, NodeStorage.SqliteFile)))
            throw VerbFailure.Usage($"there is no store in {configuration.DataDirectory}");
        using var directory = DataDirectory.Open(configuration.DataDirectory);
        var key = RootKeyFile.Read(configuration.RootKeyFile);
        if (!key.TryGet(out var root, out var missing)) throw VerbFailure.From(missing);
        await using var logs = new ConsoleLogs(call.Terminal.Error, call.Time, LogLevel.Warning);
        using var progress = new Progress(call.Terminal, call.Time, "verifying");
        try
        {
            await using var storage = await NodeStorage.OpenAsync(
                configuration, directory, call.Time, logs, call.Cancellation);
            var verification = await AuditVerifier.Offline(storage, root, directory.Path, configuration.NodeName)
                .VerifyAsync(call.Cancellation);
            var document = JsonSerializer.SerializeToNode(verification, WireJson.Strict.AuditVerification);
            call.Answer.Print(document, Text(verification));
            return verification.Intact ? ExitCodes.Ok : ExitCodes.Fault;
        }
        catch (StorageException failure)
        {
            throw VerbFailure.From(failure.Fault);
        }
    }

    internal static string Text(AuditVerification verification)
    {
        var counts = $"{verification.ChangesVerified} changes, {verification.EventsVerified} events, "
            + $"{verification.CheckpointsVerified} checkpoints";
        return verification.Intact
            ? $"intact: {counts}"
            : string.Join(Environment.NewLine, [$"NOT intact: {counts}", .. verification.Findings.Select(
                finding => $"  {finding}")]);
    }
}
