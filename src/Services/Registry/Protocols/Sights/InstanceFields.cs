namespace Groundwork.Services.Registry.Protocols.Sights;

/// <summary>What there is to say of an instance beside where it is and whether it may be called.</summary>
[Flags]
public enum InstanceFields
{
    None = 0,
    Scheme = 1,
    Ports = 2,
    Weight = 4,
    Version = 8,
    Zone = 16,
    Cluster = 32,

    /// <summary>That it stays until it is deregistered.</summary>
    Persistence = 64,
    Lease = 128,
    Tags = 256,
    Checks = 512,
    Metadata = 1024,

    /// <summary>What other protocols keep with it.</summary>
    Extensions = 2048,
    All = 4095,
}
