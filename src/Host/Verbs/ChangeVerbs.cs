using System.Collections.Immutable;
using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using Groundwork.Host.Api;
using Groundwork.Host.CommandLine;
using Groundwork.Host.Output;
using Groundwork.Wire;
using Groundwork.Wire.Contracts;

namespace Groundwork.Host.Verbs;

/// <summary><c>apply</c> and <c>delete</c>: one changeset each.</summary>
internal static partial class ChangeVerbs
{
    private static readonly Option<string[]> Files = new("--file", "-f")
    {
        Description =
            "File, directory, or - for standard input; may be given again", HelpName = "FILE", Required = true,
    };

    private static readonly Option<string[]> OptionalFiles = new("--file", "-f")
    {
        Description = "Delete what these files name", HelpName = "FILE",
    };

    private static readonly Argument<string?> Kind = new("kind")
    {
        Description = ResourceName.KindArgument.Description, Arity = ArgumentArity.ZeroOrOne,
    };

    private static readonly Argument<string?> Name = new("name")
    {
        Description = ResourceName.NameArgument.Description, Arity = ArgumentArity.ZeroOrOne,
    };

    private static readonly Option<long?> Expect = new("--revision")
    {
        Description = "Only if it is still at this revision", HelpName = "R",
    };

    /// <summary>Settings of one changeset that are told of further; more would bury what became of the rest.</summary>
    private const int MaxHints = 3;

    public static ImmutableArray<Command> All() =>
    [
        new Verb("apply", "Create or update the resources of files, all or none.",
            "apply -f shop.yaml --reason 'new price'", ApplyAsync)
        {
            Files, SharedOptions.DryRun, SharedOptions.Reason,
        },
        new Verb("delete", "Delete a resource, or those of files, all or none.", "delete route shop", DeleteAsync)
        {
            Kind, Name, SharedOptions.Namespace, OptionalFiles, Expect, SharedOptions.DryRun, SharedOptions.Reason,
        },
    ];

    private static async Task<int> ApplyAsync(Call call)
    {
        var filed = ResourceFiles.Read(call.Surroundings, call.Required(Files));
        using var connection = call.Connect();
        return await SendAsync(
            call, connection, filed, [.. filed.Select(entry => new ChangeDocument("put", Writable(entry.Resource)))]);
    }

    private static async Task<int> DeleteAsync(Call call)
    {
        var files = call.Get(OptionalFiles) ?? [];
        if (files.Length == 0 == (call.Get(Name) is null))
            throw VerbFailure.Usage("delete takes KIND NAME, or -f FILE");
        if (files.Length > 0)
        {
            if (call.Get(Expect) is not null) throw VerbFailure.Usage("--revision goes with KIND NAME, not with -f");
            var filed = ResourceFiles.Read(call.Surroundings, files);
            using var remote = call.Connect();
            return await SendAsync(
                call, remote, filed, [.. filed.Select(entry => Deletion(ResourceName.Of(entry.Resource), null))]);
        }
        using var connection = call.Connect();
        var name = await ResourceName.FromAsync(
            call, connection, call.Get(Kind)!, call.Get(Name)!); // The name is there, so is the kind.
        return await SendAsync(call, connection, [], [Deletion(name, call.Get(Expect))]);
    }

    /// <summary>Sends the changes as one changeset and prints what became of each.</summary>
    internal static async Task<ChangesetAnswer> SendAsync(
        ApiConnection connection, ChangesetRequest request, CancellationToken cancellationToken)
    {
        var message = ApiRequest.Post("changesets", request, WireJson.Strict.ChangesetRequest);
        ApiAnswer answer;
        try
        {
            answer = await connection.SendAsync(message, cancellationToken);
        }
        catch (VerbFailure failure) when (failure.ExitCode == ExitCodes.Unreachable)
        {
            // The same id: if the first one was committed before the connection broke, we get its answer.
            answer = await connection.SendAsync(message, cancellationToken);
        }
        return answer.Read(WireJson.Lenient.ChangesetAnswer);
    }

    internal static void Print(Call call, ChangesetAnswer answer, bool dryRun)
    {
        call.Answer.Print(
            JsonSerializer.SerializeToNode(answer, WireJson.Strict.ChangesetAnswer),
            string.Join(Environment.NewLine, Lines(answer, dryRun)));
    }

    /// <summary>Sends the resources of files as one changeset; a fault is told by file, line and column.</summary>
    internal static async Task<ChangesetAnswer> SendAsync(
        ApiConnection connection,
        ImmutableArray<FiledResource> filed,
        ChangesetRequest request,
        CancellationToken cancellationToken)
    {
        try
        {
            return await SendAsync(connection, request, cancellationToken);
        }
        catch (ProblemFailure failure) when (filed.Length > 0)
        {
            throw new VerbFailure(failure.ExitCode, failure.Message)
            {
                Details = [.. (failure.Problem.Fields ?? []).Select(fault => Place(fault, filed))],
            };
        }
    }

    private static async Task<int> SendAsync(
        Call call, ApiConnection connection, ImmutableArray<FiledResource> filed,
            ImmutableArray<ChangeDocument> changes)
    {
        using var progress = new Progress(call.Terminal, call.Time, "waiting for the node");
        var dryRun = call.Get(SharedOptions.DryRun);
        var request = new ChangesetRequest(
            changes, call.Get(SharedOptions.Reason), Guid.CreateVersion7(call.Time.GetUtcNow()), dryRun);
        Print(call, await SendAsync(connection, filed, request, call.Cancellation), dryRun);
        return ExitCodes.Ok;
    }

    /// <summary>
    /// The API names a resource by its key, or a change by its place in the changeset; people know both by file and
    /// line.
    /// </summary>
    private static string Place(FieldFault fault, ImmutableArray<FiledResource> filed)
    {
        var bare = fault with { Line = null, Column = null };
        var match = ChangePath().Match(fault.Path);
        if (match.Success && int.Parse(match.Groups["index"].Value, CultureInfo.InvariantCulture) is var index
            && index < filed.Length)
            return filed[index].Describe(bare with { Path = match.Groups["rest"].Value });
        if (fault.Path.Split(": ", 2) is [var key, var path]
            && filed.FirstOrDefault(entry => IsNamed(entry.Resource, key)) is { } named)
            return named.Describe(bare with { Path = path });
        // Alone, a resource needs no name.
        return filed is [var only] ? only.Describe(bare) : VerbFailure.Describe(fault);
    }

    // A file may leave the namespace out, also where the kind has none.
    private static bool IsNamed(ResourceDocument resource, string key) => key == ResourceName.Of(resource).ToString()
        || (resource.Namespace is null && key == new ResourceName(resource.Kind, "", resource.Name).ToString());

    internal static IEnumerable<string> Lines(ChangesetAnswer answer, bool dryRun)
    {
        foreach (var change in answer.Changes)
        {
            var name = new ResourceName(change.Kind, change.Namespace, change.Name);
            yield return dryRun && change.Result != "unchanged"
                ? $"{name} would be {change.Result}"
                : $"{name} {change.Result}";
        }
        if (answer.Proposal is { } proposal)
            yield return $"waits for a second person: groundwork approve {proposal}";
        else if (!dryRun)
        {
            yield return $"revision {answer.Revision}";
            foreach (var change in answer.Changes
                .Where(change => change is { Kind: "setting", Result: not "unchanged" }).Take(MaxHints))
                yield return $"who has it: groundwork receipts {change.Name} -n {change.Namespace} "
                    + $"--revision {answer.Revision}";
        }
    }

    // What the node sets itself is left out: an exported or shown resource can be applied as it is.
    internal static ResourceDocument Writable(ResourceDocument resource) =>
        resource with { Revision = null, ChangedBy = null, ChangedAt = null };

    private static ChangeDocument Deletion(ResourceName name, long? expect) =>
        new("delete", new ResourceDocument(name.Kind, name.Name, name.Namespace), expect);

    [GeneratedRegex(
        @"\Achanges\[(?<index>[0-9]{1,6})\](\.resource)?\.?(?<rest>.*)\z", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex ChangePath();
}
