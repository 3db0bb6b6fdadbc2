using System.Collections.Immutable;
using System.Globalization;

namespace Groundwork.Kernel.Hosting.Configuration;

/// <summary>Lists every option with the value in force and its origin, secrets masked.</summary>
internal static class ConfigurationValues
{
    private const string Default = "default";

    public static ImmutableArray<ConfigurationValue> Of(
        ProcessConfiguration configuration, IReadOnlyDictionary<string, Setting> settings)
    {
        var values = ImmutableArray.CreateBuilder<ConfigurationValue>();
        foreach (var option in ProcessConfiguration.Options)
        {
            if (option.Key.Contains("NAME", StringComparison.Ordinal)) continue;
            var origin = settings.GetValueOrDefault(option.Key)?.Origin ?? Default;
            values.Add(new ConfigurationValue(option.Key, Show(option, configuration, settings), origin));
        }
        foreach (var key in settings.Keys.Where(IsOfListener).Order(StringComparer.Ordinal))
            values.Add(new ConfigurationValue(key, settings[key].Text, settings[key].Origin));
        return values.ToImmutable();
    }

    private static bool IsOfListener(string key) =>
        key.Split('.') is ["listeners", _, _, ..] or ["listeners", not "wellKnownPorts"];

    private static string Show(
        ProcessOption option, ProcessConfiguration configuration, IReadOnlyDictionary<string,
            Setting> settings) => option.Key switch
        {
            "data" => configuration.DataDirectory,
            "database" => configuration.Database.ConnectionString is { } text ? PostgresAddress.Mask(text) : "sqlite",
            "nodeName" => configuration.NodeName,
            "rootKeyFile" => configuration.RootKeyFile,
            "modules" => string.Join(',', configuration.Modules.InStartOrder.Select(module => module.Name)),
            "drainSeconds" => configuration.Drain.TotalSeconds.ToString(CultureInfo.InvariantCulture),
            _ when option.IsSecret => "***",
            _ => settings.GetValueOrDefault(option.Key)?.Text ?? option.Default,
        };
}
