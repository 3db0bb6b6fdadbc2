using System.Collections.Immutable;

namespace Groundwork.Host.Processes;

/// <summary>How to start a program.</summary>
internal static class Executable
{
    /// <summary>The command that starts this very program: its own file, or <c>dotnet groundwork.dll</c>.</summary>
    public static ImmutableArray<string> Self()
    {
        var program = Environment.ProcessPath
            ?? throw new InvalidOperationException("The operating system does not say which program this is.");
        return Path.GetFileNameWithoutExtension(program) == "dotnet"
            ? [program, Path.Combine(AppContext.BaseDirectory, "groundwork.dll")]
            : [program];
    }

    /// <summary>The <c>dotnet</c> that runs us, or else the one on the PATH.</summary>
    public static string Dotnet()
    {
        if (Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") is { Length: > 0 } host) return host;
        var program = Environment.ProcessPath;
        return Path.GetFileNameWithoutExtension(program) == "dotnet" ? program! : "dotnet"; // Not null: it has a name.
    }
}
