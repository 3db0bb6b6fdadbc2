using Groundwork.Kernel.Resources;

namespace Groundwork.Kernel.Hosting.Secrets;

/// <summary>How a table reads the resources of one kind.</summary>
/// <param name="Name">Of the kind.</param>
/// <param name="Compile">
/// Of a resource and its spec with the secrets in clear; null for one that is not understood: it is then not there.
/// </param>
public sealed record SecretKind<T>(string Name, Func<Resource, ReadOnlyMemory<byte>, T?> Compile)
    where T : class
{
    /// <summary>False for a resource whose spec says all as it stands.</summary>
    public Func<Resource, bool> HasSecret { get; init; } = static _ => true;

    /// <summary>
    /// True where an old one is better than none, even when the new one is not usable: without its certificate a
    /// host has no entrance.
    /// </summary>
    public bool KeepsLastGood { get; init; }

    /// <summary>Told of what has left the table.</summary>
    public Action<T>? Left { get; init; }
}
