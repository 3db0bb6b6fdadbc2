using Groundwork.Client.Platform;
using Groundwork.Client.Settings;
using Microsoft.Extensions.Configuration;

namespace Groundwork.Client;

/// <summary>
/// What the service knows of its settings beyond the values, which are part of the host's configuration: a singleton of
/// the host's services.
/// </summary>
public sealed class GroundworkSettings
{
    private readonly IConfiguration configuration;
    private readonly SettingsProvider provider;
    private readonly PlatformConnection platform;

    internal GroundworkSettings(IConfiguration configuration, SettingsProvider provider, PlatformConnection platform)
    {
        this.configuration = configuration;
        this.provider = provider;
        this.platform = platform;
    }

    /// <summary>The platform's revision that the values are of; 0 before any came.</summary>
    public long Revision => provider.Current.Revision;

    /// <summary>Since when no platform node answers, so that the values may be old; null while one does.</summary>
    public DateTimeOffset? StaleSince => platform.AwaySince;

    /// <summary>
    /// Reads several keys of one publication: whatever <paramref name="read"/> takes from the configuration was
    /// published together, as it is within every options object. It must not await, and its result must not read the
    /// configuration later.
    /// </summary>
    /// <param name="read">Takes what it needs from the host's configuration, on this thread.</param>
    public T Read<T>(Func<IConfiguration, T> read)
    {
        ArgumentNullException.ThrowIfNull(read);
        using var pin = provider.PinCurrent();
        return read(configuration);
    }
}
