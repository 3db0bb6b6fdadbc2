using Groundwork.Client.Platform;
using Groundwork.Client.Receipts;
using Groundwork.Client.Settings;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

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
    private readonly SettingUsers users;
    private readonly ILogger log;

    internal GroundworkSettings(
        IConfiguration configuration, SettingsProvider provider, PlatformConnection platform, SettingUsers users,
        ILogger log)
    {
        this.users = users;
        this.log = log;
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

    /// <summary>A section of the configuration as an object that follows the platform.</summary>
    /// <typeparam name="T">A class; a section that does not exist gives it as it is made.</typeparam>
    /// <param name="section">Such as <c>Storefront</c>.</param>
    /// <param name="validate">What is wrong with a value, or null; one with a fault is rejected, and the one before
    /// stays.</param>
    /// <exception cref="OptionsValidationException">The validation refuses the first value.</exception>
    /// <exception cref="InvalidOperationException">The first value cannot be bound.</exception>
    public DynamicSetting<T> Watch<T>(string section, Func<T, string?>? validate = null)
        where T : class, new() =>
        Watch(section, found => found.Get<T>() ?? new T(), validate);

    /// <summary>One key of the configuration as a value that follows the platform.</summary>
    /// <typeparam name="T">Text, a number, a time, an enum.</typeparam>
    /// <param name="key">Such as <c>Storefront:DiscountPercent</c>.</param>
    /// <param name="absent">The value while the key has none.</param>
    /// <param name="validate">As above.</param>
    /// <exception cref="OptionsValidationException">The validation refuses the first value.</exception>
    /// <exception cref="InvalidOperationException">The first value cannot be bound.</exception>
    public DynamicSetting<T> WatchValue<T>(string key, T absent, Func<T, string?>? validate = null) =>
        Watch(key, found => found.Value is null ? absent : found.Get<T>()!, validate); // It has a value.

    private DynamicSetting<T> Watch<T>(
        string key, Func<IConfigurationSection, T> bind, Func<T, string?>? validate)
    {
        ArgumentException.ThrowIfNullOrEmpty(key);
        return new DynamicSetting<T>(
            new DynamicSettingState<T>(key, configuration, bind, validate, users, log));
    }
}
