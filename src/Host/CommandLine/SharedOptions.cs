using System.CommandLine;
using Groundwork.Host.Output;
using Groundwork.Wire;

namespace Groundwork.Host.CommandLine;

/// <summary>Options that mean the same with every verb that has them.</summary>
internal static class SharedOptions
{
    public static Option<OutputFormat> Output { get; } = new("--output", "-o")
    {
        Description = "table, json or yaml (default: table)",
        HelpName = "FORMAT",
        DefaultValueFactory = _ => OutputFormat.Table,
        CustomParser = token => Parse(token),
    };

    public static Option<string?> Server { get; } = new("--server")
    {
        Description = "Address of a node; else the local node",
        HelpName = "URL",
    };

    public static Option<string?> Data { get; } = new("--data")
    {
        Description = "Data directory of the local node",
        HelpName = "DIR",
    };

    /// <summary>With verbs that name a resource.</summary>
    public static Option<string?> Namespace { get; } = new("--namespace", "-n")
    {
        Description = $"Namespace (default: {Names.DefaultNamespace}, or none for node-wide kinds)",
        HelpName = "NAMESPACE",
    };

    /// <summary>With verbs that change something.</summary>
    public static Option<string?> Reason { get; } = new("--reason")
    {
        Description = "Why, for the history",
        HelpName = "TEXT",
    };

    public static Option<bool> DryRun { get; } = new("--dry-run")
    {
        Description = "Say what would change, and change nothing",
    };

    public static Option<int> Limit { get; } = new("--limit")
    {
        Description = "At most so many (default: 100)",
        HelpName = "N",
        DefaultValueFactory = _ => 100,
    };

    private static OutputFormat Parse(System.CommandLine.Parsing.ArgumentResult token)
    {
        switch (token.Tokens is [var only] ? only.Value : "")
        {
            case "table": return OutputFormat.Table;
            case "json": return OutputFormat.Json;
            case "yaml": return OutputFormat.Yaml;
            default:
                token.AddError("--output must be table, json or yaml.");
                return OutputFormat.Table;
        }
    }
}
