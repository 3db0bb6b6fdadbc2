using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Globalization;
using Microsoft.Extensions.Configuration;

namespace Groundwork.Client.Calls;

/// <summary>The policies of one service: of all its methods, and of those that have their own.</summary>
/// <param name="All">For every other method.</param>
/// <param name="Typed">By the name that a typed client gives.</param>
/// <param name="Patterns">The one with more written out first.</param>
internal sealed record ServicePolicy(
    CallPolicy All,
    FrozenDictionary<string, CallPolicy> Typed,
    ImmutableArray<(MethodPattern Pattern, CallPolicy Policy)> Patterns);

/// <summary>
/// All policies of one configuration, read from <c>Groundwork:Calls</c>: <c>{service}</c> or <c>*</c> for every
/// service, below it the keys, and below <c>Methods:{method}</c> those of one method. The later wins, key by key: every
/// service, every service's method, the service, the service's method.
/// </summary>
internal sealed class CallPolicySet
{
    public const string SectionName = GroundworkOptions.SectionName + ":Calls";

    private const string Everything = "*";

    private const string Methods = "Methods";

    /// <summary>
    /// Services and, of each, methods with policies of their own; a mistake must not fill the memory.
    /// </summary>
    private const int MaxServices = 256;

    private const int MaxMethods = 256;

    /// <summary>Characters of a method: what the platform takes in a report of breakers.</summary>
    private const int MaxMethodLength = 256;

    /// <summary>Keys below <c>Groundwork:Calls</c>, all in all.</summary>
    private const int MaxKeys = 10_000;

    private readonly FrozenDictionary<string, ServicePolicy> services;
    private readonly ServicePolicy others;

    private CallPolicySet(FrozenDictionary<string, ServicePolicy> services, ServicePolicy others)
    {
        this.services = services;
        this.others = others;
    }

    /// <summary>Without any key.</summary>
    public static CallPolicySet Usual { get; } = Of([], []);

    public ServicePolicy Find(string service) => services.GetValueOrDefault(service, others);

    /// <summary>Every key of the section with its value: equal keys make equal policies.</summary>
    public static ImmutableSortedDictionary<string, string> Keys(IConfiguration configuration) => configuration
        .GetSection(SectionName)
        .AsEnumerable(makePathsRelative: true)
        .Where(key => key.Value is not null)
        .ToImmutableSortedDictionary(
            key => key.Key, key => key.Value!, StringComparer.OrdinalIgnoreCase); // Nulls were left out above.

    /// <summary>Reads all policies; those with a fault are read as far as they go.</summary>
    /// <param name="keys">As <see cref="Keys"/> gives them.</param>
    /// <param name="faults">Everything that is wrong, each with its key.</param>
    public static CallPolicySet Read(ImmutableSortedDictionary<string, string> keys, out ImmutableArray<string> faults)
    {
        var found = new List<string>();
        if (keys.Count > MaxKeys)
        {
            faults = [string.Create(
                CultureInfo.InvariantCulture, $"{SectionName} has {keys.Count} keys; {MaxKeys} is the limit.")];
            return Usual;
        }
        var set = Of(keys, found);
        faults = [.. found.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];
        return set;
    }

    private static CallPolicySet Of(IEnumerable<KeyValuePair<string, string>> keys, List<string> faults)
    {
        var sections = new Dictionary<string, Section>(StringComparer.OrdinalIgnoreCase);
        foreach (var (key, value) in keys) Sort(key, value, sections, faults);
        if (sections.Count > MaxServices) faults.Add($"{SectionName} has over {MaxServices} services.");
        var everything = sections.GetValueOrDefault(Everything, new Section());
        return new CallPolicySet(
            sections
                .Where(section => section.Key != Everything)
                .ToFrozenDictionary(
                    section => section.Key, section => Read(everything, section.Value, faults),
                    StringComparer.OrdinalIgnoreCase),
            Read(everything, new Section(), faults));
    }

    private static void Sort(
        string key, string value, Dictionary<string, Section> sections, List<string> faults)
    {
        var path = $"{SectionName}:{key}";
        var parts = key.Split(ConfigurationPath.KeyDelimiter, 2);
        if (parts.Length < 2)
        {
            faults.Add($"{path} is a value; a policy's keys stand below a service.");
            return;
        }
        if (!sections.TryGetValue(parts[0], out var section)) sections[parts[0]] = section = new Section();
        var rest = parts[1].Split(ConfigurationPath.KeyDelimiter, 3);
        if (!rest[0].Equals(Methods, StringComparison.OrdinalIgnoreCase))
        {
            section.Own[parts[1]] = new PolicyKey(path, value);
            return;
        }
        if (rest.Length < 3)
        {
            faults.Add($"{path} is a value; a method's keys stand below it.");
            return;
        }
        var isMethod = MethodPattern.IsPattern(rest[1])
            ? MethodPattern.Parse(rest[1]) is not null
            : MethodPattern.IsTypedName(rest[1]);
        if (!isMethod || rest[1].Length > MaxMethodLength)
        {
            faults.Add($"{path}: '{rest[1]}' is neither a typed client's method nor one such as 'GET /products/*'.");
            return;
        }
        if (!section.Methods.TryGetValue(rest[1], out var method))
        {
            if (section.Methods.Count >= MaxMethods)
            {
                faults.Add($"{SectionName}:{parts[0]} has over {MaxMethods} methods.");
                return;
            }
            section.Methods[rest[1]] = method = Layer();
        }
        method[rest[2]] = new PolicyKey(path, value);
    }

    private static ServicePolicy Read(Section everything, Section service, List<string> faults)
    {
        var names = everything.Methods.Keys.Union(service.Methods.Keys, StringComparer.OrdinalIgnoreCase).ToList();
        var policies = names.ToDictionary(
            name => name,
            name => Read(name, faults, everything, service, everything.Methods.GetValueOrDefault(name, Layer()),
                service.Methods.GetValueOrDefault(name, Layer())),
            StringComparer.OrdinalIgnoreCase);
        return new ServicePolicy(
            Read(null, faults, everything, service, Layer(), Layer()),
            policies.Where(one => !MethodPattern.IsPattern(one.Key))
                .ToFrozenDictionary(StringComparer.OrdinalIgnoreCase),
            [.. policies
                .Where(one => MethodPattern.IsPattern(one.Key))
                .Select(one => (Pattern: MethodPattern.Parse(one.Key)!, one.Value)) // Sort took no other.
                .OrderByDescending(one => one.Pattern.Literals)]);
    }

    private static CallPolicy Read(
        string? method, List<string> faults, Section everything, Section service,
        Dictionary<string, PolicyKey> everyMethod, Dictionary<string, PolicyKey> serviceMethod)
    {
        var merged = Layer();
        foreach (var layer in (ReadOnlySpan<Dictionary<string, PolicyKey>>)
            [everything.Own, everyMethod, service.Own, serviceMethod])
            Overlay(merged, layer);
        string? OwnerOf(string section) => Says(everyMethod, section) || Says(serviceMethod, section) ? method : null;
        return CallPolicyReader.Read(
            new PolicyKeys(merged, faults),
            OwnerOf(CallPolicyReader.BreakerSection), OwnerOf(CallPolicyReader.BulkheadSection));
    }

    // A list replaces the list before it, and "off" the section before it; a section turns on what was off.
    private static void Overlay(Dictionary<string, PolicyKey> merged, Dictionary<string, PolicyKey> layer)
    {
        if (Says(layer, CallPolicyReader.Statuses)) Drop(merged, CallPolicyReader.Statuses);
        foreach (var section in CallPolicyReader.Sections)
        {
            if (layer.ContainsKey(section)) Drop(merged, section);
            else if (Says(layer, section)) merged.Remove(section);
        }
        foreach (var (name, key) in layer) merged[name] = key;
    }

    private static bool Says(Dictionary<string, PolicyKey> layer, string section) =>
        layer.Keys.Any(name => IsOf(name, section));

    private static void Drop(Dictionary<string, PolicyKey> layer, string section)
    {
        foreach (var name in layer.Keys.Where(name => IsOf(name, section)).ToList()) layer.Remove(name);
    }

    private static bool IsOf(string name, string section) =>
        name.StartsWith(section, StringComparison.OrdinalIgnoreCase)
        && (name.Length == section.Length || name[section.Length] == ':');

    private static Dictionary<string, PolicyKey> Layer() => new(StringComparer.OrdinalIgnoreCase);

    /// <summary>What is written below one service's name.</summary>
    private sealed class Section
    {
        public Dictionary<string, PolicyKey> Own { get; } = Layer();

        public Dictionary<string, Dictionary<string, PolicyKey>> Methods { get; } =
            new(StringComparer.OrdinalIgnoreCase);
    }
}
