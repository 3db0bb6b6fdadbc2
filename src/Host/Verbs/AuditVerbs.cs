using System.Collections.Immutable;
using System.CommandLine;
using Groundwork.Host.Api;
using Groundwork.Host.CommandLine;
using Groundwork.Host.Output;
using Groundwork.Wire;
using Groundwork.Wire.Contracts;

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

    public static Command Create() =>
        new Verb("audit", "Show or verify the audit trail.", "audit list --action refused", run: null)
        {
            new Verb("list", "List the audit trail, newest first.", "audit list --principal operator:alice", ListAsync)
            {
                Principal, Action, SharedOptions.Limit,
            },
            new Verb("verify", "Verify that nothing was edited, cut or swapped.", "audit verify", VerifyAsync),
        };

    private static async Task<int> ListAsync(Call call)
    {
        using var connection = call.Connect();
        var path = ApiPaths.With(
            "audit", ("principal", call.Get(Principal)), (
                "action", call.Get(Action)), ("limit", call.Get(SharedOptions.Limit)));
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
        using var connection = call.Connect();
        using var progress = new Progress(call.Terminal, call.Time, "verifying");
        var answer = await connection.SendAsync(ApiRequest.Post("audit/verify"), call.Cancellation);
        var verification = answer.Read(WireJson.Lenient.AuditVerification);
        call.Answer.Print(answer.Document, Text(verification));
        return verification.Intact ? ExitCodes.Ok : ExitCodes.Fault;
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
