using System.CommandLine;
using System.Text;
using System.Text.Json.Nodes;
using Groundwork.Host.Api;
using Groundwork.Host.CommandLine;
using Groundwork.Host.Output;
using Groundwork.Kernel.Hosting;
using Groundwork.Kernel.Hosting.Logging;
using Groundwork.Kernel.Security;
using Groundwork.Kernel.Storage;
using Groundwork.Wire;
using Microsoft.Extensions.Logging;
using Verb = Groundwork.Host.CommandLine.Verb;

namespace Groundwork.Host.Verbs;

/// <summary><c>node invite</c> and <c>node join</c>: how the root key gets to another node.</summary>
internal static class JoinVerbs
{
    private static readonly Argument<string> NewBundle = new("file") { Description = "New file for the bundle" };

    private static readonly Argument<string> Bundle = new("file") { Description = "The bundle that invite has made" };

    public static Command CreateInvite() =>
        new Verb("invite", "Make an invitation for another node: a bundle, and a code to tell it.",
            "node invite two.bundle", InviteAsync)
        {
            NewBundle,
        };

    public static Command CreateJoin() => ProcessFlags.With(
        new Verb("join", "Take an invitation; its code is asked for, or read from stdin.",
            "node join two.bundle --node-name two", JoinAsync)
        {
            Bundle,
        });

    private static async Task<int> InviteAsync(Call call)
    {
        if (call.Parsed.GetValue(SharedOptions.Server) is not null)
            throw VerbFailure.Usage("an invitation carries the root key: make it on the node's own machine");
        var path = Path.GetFullPath(call.Required(NewBundle), call.Surroundings.WorkingDirectory);
        using var connection = call.Connect();
        var options = new FileStreamOptions
        {
            Mode = FileMode.CreateNew, // An invitation that is in use must not be lost.
            Access = FileAccess.Write,
            UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
        };
        await using (var file = new FileStream(path, options))
        {
            try
            {
                var answer = await connection.SendAsync(ApiRequest.Post("nodes/invitations"), call.Cancellation);
                var invitation = answer.Read(WireJson.Lenient.NodeInvitationAnswer);
                await file.WriteAsync(Encoding.UTF8.GetBytes(invitation.Bundle), call.Cancellation);
                Print(call, path, invitation.Code, invitation.ExpiresAt);
            }
            catch
            {
                File.Delete(path);
                throw;
            }
        }
        return ExitCodes.Ok;
    }

    private static void Print(Call call, string path, string code, DateTimeOffset expiresAt)
    {
        if (call.Answer.IsTable)
        {
            call.Terminal.Error.WriteLine(
                $"{path} goes to the new node, this code by another way; once, until {ReadVerbs.Text(expiresAt)}:");
        }
        call.Answer.Print(
            new JsonObject { ["file"] = path, ["code"] = code, ["expiresAt"] = expiresAt.ToString("O") }, code);
    }

    private static async Task<int> JoinAsync(Call call)
    {
        if (call.Parsed.GetValue(SharedOptions.Server) is not null)
            throw VerbFailure.Usage("join makes this machine a node; --server does not go with it");
        var configuration = ProcessFlags.Require(call, call.Surroundings.WorkingDirectory, ApiTarget.SystemDirectory);
        var path = Path.GetFullPath(call.Required(Bundle), call.Surroundings.WorkingDirectory);
        if (new FileInfo(path) is { Exists: true, Length: > NodeInvitation.MaxBundleBytes })
            throw VerbFailure.Usage($"{path} is no invitation");
        var bundle = await File.ReadAllTextAsync(path, call.Cancellation);
        var code = SecretInput.Read(call.Terminal, "code of the invitation");
        await using var logs = new ConsoleLogs(call.Terminal.Error, call.Time, LogLevel.Warning);
        try
        {
            var outcome = await NodeJoining.RunAsync(
                configuration, bundle, code, call.Time, logs, call.Cancellation);
            if (!outcome.TryGet(out var joined, out var fault)) throw VerbFailure.From(fault);
            Print(call, joined, configuration.DataDirectory);
            return ExitCodes.Ok;
        }
        catch (StorageException failure)
        {
            throw VerbFailure.From(failure.Fault);
        }
    }

    private static void Print(Call call, JoinedNode joined, string dataDirectory)
    {
        var start = $"groundwork run --data {dataDirectory}"
            + (joined.DatabaseFile is { } file ? $" --database-file {file}" : "");
        call.Answer.Print(
            new JsonObject
            {
                ["rootKeyFile"] = joined.RootKeyFile,
                ["fingerprint"] = joined.Fingerprint,
                ["databaseFile"] = joined.DatabaseFile,
            },
            $"root key {joined.Fingerprint} is in {joined.RootKeyFile}; now: {start}");
    }
}
