using System.CommandLine;

namespace Groundwork.Host.Processes;

/// <summary>
/// <c>launch --parent PID -- COMMAND</c>: what <c>up</c> starts its children through. Becomes the command, at the head
/// of a process group of its own, and dies with the parent.
/// </summary>
internal static class LaunchVerb
{
    // As a shell says it: found but not executable, and not found.
    private const int CannotExecute = 126;
    private const int CannotFind = 127;
    private const int FileNotFound = 2; // ENOENT

    public static Command Create()
    {
        var parent = new Option<int>("--parent") { Required = true, Description = "Process that this one dies with" };
        var command = new Argument<string[]>("command") { Arity = ArgumentArity.OneOrMore };
        var launch = new Command("launch", "Run a command that dies with its parent") { Hidden = true };
        launch.Options.Add(parent);
        launch.Arguments.Add(command);
        launch.SetAction(parsed =>
            Become(parsed.GetRequiredValue(
                command), parsed.GetRequiredValue(parent), parsed.InvocationConfiguration.Error));
        return launch;
    }

    private static int Become(string[] command, int parent, TextWriter error)
    {
        Posix.LeadNewGroup();
        Posix.DieWithParent();
        // The parent may have died before the line above; then the signal never comes.
        if (Posix.ParentProcessId() != parent) return CannotExecute;
        var fault = Posix.Execute(command);
        error.WriteLine($"groundwork: cannot start {command[0]}: {fault.Message}");
        return fault.NativeErrorCode == FileNotFound ? CannotFind : CannotExecute;
    }
}
