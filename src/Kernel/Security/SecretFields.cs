using System.Runtime.CompilerServices;
using System.Text.Json;
using Groundwork.Kernel.Resources;

namespace Groundwork.Kernel.Security;

/// <summary>
/// Finds the secret fields of a kind in the bytes of a spec. A path is <c>upstream.token</c>, or
/// <c>users.*.password</c> where <c>*</c> stands for every element of a list and every member of an object.
/// </summary>
internal sealed class SecretFields
{
    private static readonly ConditionalWeakTable<Kind, SecretFields> Known = [];

    private readonly Step root = new();

    private SecretFields(Kind kind)
    {
        foreach (var path in kind.SecretFields)
        {
            var step = root;
            foreach (var name in path.Split('.')) step = step.Add(name);
            step.IsSecret = true;
        }
        root.Spread();
    }

    public static SecretFields Of(Kind kind) => Known.GetValue(kind, static kind => new SecretFields(kind));

    /// <summary>The secret fields that are there, in order of their place.</summary>
    public List<SecretPlace> Find(ReadOnlySpan<byte> spec)
    {
        var places = new List<SecretPlace>();
        var reader = new Utf8JsonReader(spec);
        if (reader.Read()) Walk(ref reader, root, "", places);
        return places;
    }

    private static void Walk(ref Utf8JsonReader reader, Step step, string path, List<SecretPlace> places)
    {
        if (step.IsSecret)
        {
            var start = (int)reader.TokenStartIndex;
            var token = reader.TokenType;
            var clear = token == JsonTokenType.String ? reader.GetString() : null;
            reader.Skip();
            places.Add(new SecretPlace(path, start, (int)reader.BytesConsumed - start, token, clear));
            return;
        }
        if (reader.TokenType == JsonTokenType.StartObject)
        {
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                var name = reader.GetString()!; // A property name is text.
                reader.Read();
                Below(ref reader, step.Find(name), path, name, places);
            }
        }
        else if (reader.TokenType == JsonTokenType.StartArray)
        {
            for (var place = 0; reader.Read() && reader.TokenType != JsonTokenType.EndArray; place++)
                Below(ref reader, step.Every, path, $"{place}", places);
        }
    }

    private static void Below(ref Utf8JsonReader reader, Step? step, string path, string name, List<SecretPlace> places)
    {
        if (step is null) reader.Skip();
        else Walk(ref reader, step, path.Length == 0 ? name : $"{path}.{name}", places);
    }

    /// <summary>One step of the paths, joined where they begin alike.</summary>
    private sealed class Step
    {
        private readonly Dictionary<string, Step> named = new(StringComparer.Ordinal);

        public bool IsSecret { get; set; }

        public Step? Every { get; private set; }

        public Step? Find(string name) => named.GetValueOrDefault(name) ?? Every;

        public Step Add(string name)
        {
            if (name == "*") return Every ??= new Step();
            if (!named.TryGetValue(name, out var next)) named.Add(name, next = new Step());
            return next;
        }

        /// <summary>What holds for every member holds for those that are named as well.</summary>
        public void Spread()
        {
            foreach (var next in named.Values)
            {
                if (Every is not null) next.Join(Every);
                next.Spread();
            }
            Every?.Spread();
        }

        private void Join(Step other)
        {
            IsSecret |= other.IsSecret;
            foreach (var (name, next) in other.named) Add(name).Join(next);
            if (other.Every is not null) Add("*").Join(other.Every);
        }
    }
}

/// <summary>Where a secret field lies in the bytes of a spec.</summary>
/// <param name="Path">Such as <c>users.0.password</c>.</param>
/// <param name="Clear">The text, when it is in clear.</param>
internal readonly record struct SecretPlace(string Path, int Start, int Length, JsonTokenType Token, string? Clear)
{
    public ReadOnlySpan<byte> In(ReadOnlySpan<byte> spec) => spec.Slice(Start, Length);
}
