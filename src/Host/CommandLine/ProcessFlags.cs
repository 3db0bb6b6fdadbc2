using System.Collections;
using System.Collections.Immutable;
using System.CommandLine;
using Groundwork.Kernel.Hosting;
using Groundwork.Wire;

namespace Groundwork.Host.CommandLine;

/// <summary>The flags of verbs that start a node, one per key of the process configuration.</summary>
internal static class ProcessFlags
{
    /// <summary>Names the configuration file; the CLI's own, so the configuration itself passes over it.</summary>
    private const string FileVariable = "GROUNDWORK_CONFIG";

    public const string FileName = "groundwork.yaml";

    private const string SystemFile = "/etc/groundwork/groundwork.yaml";

    private const string DataKey = "data";

    /// <summary>Shown in the help; the others work too, and <c>doctor</c> lists them all.</summary>
    private static readonly ImmutableArray<string> Shown = ["modules", "follow", "nodeName"];

    private static readonly Option<string?> File = new("--config")
    {
        Description = $"File (default: ./{FileName}, then {SystemFile})", HelpName = "FILE",
    };

    private static readonly Option<string[]> Set = new("--set")
    {
        Description = "Any key, such as listeners.api.address=127.0.0.1:7500", HelpName = "KEY=VALUE",
    };

    private static readonly ImmutableArray<(ProcessOption Option, Option<string?> Flag)> Flags =
    [
        .. ProcessConfiguration.Options
            .Where(option => option.Key != DataKey && !option.Key.Contains("NAME", StringComparison.Ordinal))
            .Select(option => (option, ToFlag(option))),
    ];

    /// <summary>Gives the verb its flags.</summary>
    public static Verb With(Verb verb)
    {
        verb.Options.Add(File);
        foreach (var (_, flag) in Flags) verb.Options.Add(flag);
        verb.Options.Add(Set);
        return verb;
    }

    /// <summary>The configuration of a node that this call would start.</summary>
    /// <param name="directory">Where a configuration file is looked for, unless named.</param>
    public static Outcome<ProcessConfiguration> Read(Call call, string directory, string defaultDataDirectory) =>
        ProcessConfiguration.Read(new ConfigurationSources
        {
            File = FindFile(call, directory),
            Environment = Environment.GetEnvironmentVariables().Cast<DictionaryEntry>()
                .ToDictionary(entry => (string)entry.Key, entry => (string?)entry.Value ?? "", StringComparer.Ordinal),
            Flags = [.. Given(call)],
            WorkingDirectory = call.Surroundings.WorkingDirectory,
            DefaultDataDirectory = defaultDataDirectory,
            HostName = Environment.MachineName,
        });

    /// <summary>The same, where nothing goes on without it.</summary>
    public static ProcessConfiguration Require(Call call, string directory, string defaultDataDirectory)
    {
        var configuration = Read(call, directory, defaultDataDirectory);
        return configuration.Succeeded ? configuration.Value : throw VerbFailure.From(configuration.Fault);
    }

    private static string? FindFile(Call call, string directory)
    {
        var named = call.Get(File) ?? call.Surroundings.Environment(FileVariable);
        if (named is { Length: > 0 })
        {
            var full = Path.GetFullPath(named, call.Surroundings.WorkingDirectory);
            return System.IO.File.Exists(full)
                ? full
                : throw VerbFailure.Usage($"there is no configuration file {full}");
        }
        return Array.Find([Path.Combine(directory, FileName), SystemFile], System.IO.File.Exists);
    }

    private static IEnumerable<ConfigurationFlag> Given(Call call)
    {
        if (call.Parsed.GetValue(SharedOptions.Data) is { } data)
            yield return new ConfigurationFlag("--data", DataKey, data);
        foreach (var (option, flag) in Flags)
            if (call.Get(flag) is { } value) yield return new ConfigurationFlag(flag.Name, option.Key, value);
        foreach (var pair in call.Get(Set) ?? [])
        {
            var sign = pair.IndexOf('=', StringComparison.Ordinal);
            if (sign <= 0) throw VerbFailure.Usage($"--set takes KEY=VALUE, not '{pair}'");
            yield return new ConfigurationFlag($"--set {pair[..sign]}", pair[..sign], pair[(sign + 1)..]);
        }
    }

    private static Option<string?> ToFlag(ProcessOption option) => new(option.Flag)
    {
        Description = option.Why.Split(';', '.', ':')[0],
        HelpName = option.Unit.ToUpperInvariant(),
        Hidden = !Shown.Contains(option.Key, StringComparer.Ordinal),
    };
}
