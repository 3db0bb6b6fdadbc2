using System.Collections.Immutable;
using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using System.Runtime.InteropServices;
using Groundwork.Kernel.Hosting;

namespace Groundwork.Host.CommandLine;

/// <summary>
/// The command line as a whole: parses, shows help, runs the verb, and turns every end into an exit code.
/// </summary>
internal static class GroundworkCommand
{
    /// <summary>Runs one command line.</summary>
    /// <returns>One of <see cref="ExitCodes"/>.</returns>
    public static async Task<int> RunAsync(
        IReadOnlyList<string> arguments, Surroundings surroundings, Interruption interruption,
            ImmutableArray<Command> verbs)
    {
        var root = Create(surroundings, interruption, verbs);
        if (arguments.Count == 0) arguments = ["--help"];
        var parsed = root.Parse(arguments);
        if (parsed.Errors.Count > 0 && parsed.Action is ParseErrorAction) return PrintErrors(parsed, surroundings);
        return await parsed.InvokeAsync(
            new InvocationConfiguration
            {
                EnableDefaultExceptionHandler = false,
                ProcessTerminationTimeout = null, // Signals are ours; see Interruption.
                Output = surroundings.Terminal.Out,
                Error = surroundings.Terminal.Error,
            },
            interruption.Asked);
    }

    internal static RootCommand Create(
        Surroundings surroundings, Interruption interruption, ImmutableArray<Command> verbs)
    {
        var root = new RootCommand("The whole backend of an internet team in one process.");
        root.Options.Clear();
        root.Options.Add(new HelpOption { Action = new HelpPage() });
        root.Directives.Clear();
        foreach (var option in (Option[])[SharedOptions.Output, SharedOptions.Server, SharedOptions.Data])
        {
            option.Recursive = true;
            root.Options.Add(option);
        }
        foreach (var verb in verbs)
        {
            Bind(verb, surroundings, interruption);
            root.Subcommands.Add(verb);
        }
        return root;
    }

    private static void Bind(Command command, Surroundings surroundings, Interruption interruption)
    {
        foreach (var below in command.Subcommands) Bind(below, surroundings, interruption);
        if (command is not Verb { Run: not null } verb) return;
        verb.SetAction(
            (parsed, cancellation) => EndAsync(verb, new Call(parsed, surroundings, interruption, cancellation)));
    }

    private static async Task<int> EndAsync(Verb verb, Call call)
    {
        try
        {
            return await verb.Run!(call); // Bind only takes those that have one.
        }
        catch (VerbFailure failure)
        {
            return Print(call, failure);
        }
        catch (StartupException failure)
        {
            return Print(call, VerbFailure.From(failure.Fault));
        }
        catch (OperationCanceledException) when (call.Cancellation.IsCancellationRequested)
        {
            if (verb.EndsWellWhenStopped) return ExitCodes.Ok;
            return call.Interruption.First == PosixSignal.SIGTERM ? ExitCodes.Terminated : ExitCodes.Interrupted;
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            return Print(call, new VerbFailure(ExitCodes.Fault, fault.Message)); // A file that the user named.
        }
        catch (Exception fault)
        {
            return Print(call, new VerbFailure(ExitCodes.Bug, $"a bug in this program: {fault}"));
        }
    }

    private static int Print(Call call, VerbFailure failure)
    {
        call.Terminal.Error.WriteLine($"groundwork: {failure.Message}");
        foreach (var detail in failure.Details) call.Terminal.Error.WriteLine($"  {detail}");
        return failure.ExitCode;
    }

    // The parser names CLR types; every option and argument of ours that is not text is a whole number.
    private static string Plain(string message)
    {
        var quoted = message.Split('\'');
        return message.StartsWith("Cannot parse argument ", StringComparison.Ordinal) && quoted.Length >= 5
            ? $"{quoted[3]} takes a whole number, not '{quoted[1]}'"
            : message.ReplaceLineEndings(" ");
    }

    private static int PrintErrors(ParseResult parsed, Surroundings surroundings)
    {
        var error = surroundings.Terminal.Error;
        var unknown =
            parsed.CommandResult.Command is RootCommand && parsed.UnmatchedTokens is [var word, ..] ? word : null;
        if (unknown is not null) error.WriteLine($"groundwork: there is no verb '{unknown}'");
        else foreach (
            var fault in parsed.Errors) error.WriteLine($"groundwork: {Plain(fault.Message)}");
        error.WriteLine($"  '{HelpPage.FullName(parsed.CommandResult.Command)} --help' tells how it is written");
        return ExitCodes.Usage;
    }
}
