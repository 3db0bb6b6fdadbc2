namespace Groundwork.Kernel.Hosting;

/// <summary>The node's own directory: locked, 0700.</summary>
public sealed class DataDirectory
{
    /// <summary>Absolute path.</summary>
    public required string Path { get; init; }
}
