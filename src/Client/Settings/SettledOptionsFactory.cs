using System.Collections.Concurrent;
using Groundwork.Client.Receipts;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Groundwork.Client.Settings;

/// <summary>
/// Makes options objects from one publication of settings each, and keeps the last good object where a later
/// publication cannot be bound or does not validate: a wrong value published at noon must not stop a service that runs.
/// </summary>
internal sealed class SettledOptionsFactory<TOptions>(
    IEnumerable<IConfigureOptions<TOptions>> configure,
    IEnumerable<IPostConfigureOptions<TOptions>> postConfigure,
    IEnumerable<IValidateOptions<TOptions>> validate,
    SettingUsers users,
    LastGoodOptions lastGood) : IOptionsFactory<TOptions>
    where TOptions : class
{
    private readonly OptionsFactory<TOptions> inner = new(configure, postConfigure, validate);

    public TOptions Create(string name)
    {
        var type = typeof(TOptions);
        using var use = users.Begin((type, name), name.Length == 0 ? type.Name : $"{type.Name} '{name}'");
        try
        {
            var made = inner.Create(name);
            lastGood.Keep(name, made);
            use.Passed();
            return made;
        }
        catch (Exception fault)
        {
            var wrong = use.Failed(fault);
            if (lastGood.Find<TOptions>(name, wrong) is { } last) return last;
            throw;
        }
    }
}

/// <summary>The options objects that were last made without a fault, by type and name. Thread-safe.</summary>
internal sealed partial class LastGoodOptions(ClientMeters meters, ILogger log)
{
    /// <summary>Types and names kept; names made up at run time must not fill the memory.</summary>
    private const int MaxKept = 1000;

    private readonly ConcurrentDictionary<(Type Type, string Name), object> kept = new();

    public void Keep<TOptions>(string name, TOptions options)
        where TOptions : class
    {
        var key = (typeof(TOptions), name);
        if (kept.Count < MaxKept || kept.ContainsKey(key)) kept[key] = options;
    }

    /// <summary>The last good object, if there is one; the fault that makes it needed is counted and logged.</summary>
    public TOptions? Find<TOptions>(string name, string wrong)
        where TOptions : class
    {
        if (!kept.TryGetValue((typeof(TOptions), name), out var options)) return null;
        meters.ReloadFaults.Add(1);
        LogKept(typeof(TOptions).Name, name, wrong);
        return (TOptions)options;
    }

    [LoggerMessage(
        Level = LogLevel.Error,
        Message = "The new settings do not make a valid {Type} ('{Name}'); goes on with the last good one. {Wrong}")]
    private partial void LogKept(string type, string name, string wrong);
}
