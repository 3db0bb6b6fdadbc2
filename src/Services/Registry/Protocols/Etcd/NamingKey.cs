using System.Collections.Immutable;
using System.Text;

namespace Groundwork.Services.Registry.Protocols.Etcd;

/// <summary>An instance that traffic may go to, as a key of etcd's naming, from one revision on. Immutable.</summary>
public sealed class NamingKey
{
    private byte[]? value; // Made when it is asked for; the same whoever makes it.

    internal NamingKey(string key, Instance instance, long created, long revision, long version)
    {
        Key = Encoding.UTF8.GetBytes(key);
        Instance = instance;
        Created = created;
        Revision = revision;
        Version = version;
        Lease = EtcdExtension.Of(instance)?.Lease ?? 0;
    }

    public byte[] Key { get; }

    public byte[] Value => value ??= NamingEndpoint.Write(Instance);

    /// <summary>The revision at which it last began to be.</summary>
    public long Created { get; }

    /// <summary>The revision of its last change.</summary>
    public long Revision { get; }

    /// <summary>Changes since it was created; 1 for the first.</summary>
    public long Version { get; }

    /// <summary>The lease that it goes with; 0 for none.</summary>
    public long Lease { get; }

    internal Instance Instance { get; }

    /// <summary>True when the key of that instance is this one in all that it shows.</summary>
    internal bool Shows(Instance instance) => ReferenceEquals(Instance, instance)
        || (Instance.Host == instance.Host && Instance.Port == instance.Port
            && Instance.Metadata.Equals(instance.Metadata)
            && Instance.Extensions.GetValueOrDefault(EtcdExtension.Protocol)
                == instance.Extensions.GetValueOrDefault(EtcdExtension.Protocol));
}

/// <summary>One change of one key.</summary>
/// <param name="After">Null when it is gone.</param>
/// <param name="Before">Null when it was not.</param>
public sealed record NamingChange(long Revision, NamingKey? After, NamingKey? Before)
{
    /// <summary>The key; one of the two is there.</summary>
    public byte[] Key => (After ?? Before)!.Key;

    internal ServiceKey Service => (After ?? Before)!.Instance.Key.Service;
}

/// <summary>The keys at one moment, in no order.</summary>
/// <param name="Revision">Of the last change.</param>
/// <param name="Beginning">The first revision at which they are known.</param>
/// <param name="Floor">The first revision from which on what has changed can be told.</param>
public sealed record NamingMoment(long Revision, long Beginning, long Floor, ImmutableArray<NamingKey> Keys);
