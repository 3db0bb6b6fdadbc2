using System.CommandLine;

namespace Groundwork.Host.CommandLine;

/// <summary>A verb, as the table in <c>Program.cs</c> and its family's file write it.</summary>
/// <param name="name">One word.</param>
/// <param name="description">One line, for the help.</param>
/// <param name="example">Arguments of a typical call, without the program's name.</param>
/// <param name="run">Returns the exit code.</param>
internal sealed class Verb(string name, string description, string example, Func<Call, Task<int>>? run)
    : Command(name, description)
{
    public string Example { get; } = example;

    /// <summary>Null for one that only holds others, such as <c>key</c>.</summary>
    public Func<Call, Task<int>>? Run { get; } = run;

    /// <summary>Verbs that run a node or its children end well when they are asked to stop.</summary>
    public bool EndsWellWhenStopped { get; init; }
}
