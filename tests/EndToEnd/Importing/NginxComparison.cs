using System.Globalization;
using System.Text;

namespace Groundwork.Tests.EndToEnd.Importing;

/// <summary>
/// What nginx and the gateway did with the same requests. A difference has a word, which the committed table explains;
/// any other is a fault.
/// </summary>
internal sealed class NginxComparison
{
    // Upstreams of shop.conf, by the letter of their instances.
    private const string InTurn = "AB";
    private const string Hashed = "CDE";
    private const string ByChance = "FG";

    private readonly SortedDictionary<string, int> words = new(StringComparer.Ordinal);
    private readonly Dictionary<char, (List<string> Nginx, List<string> Ours)> orders = [];
    private readonly Dictionary<(char Set, string Key), string> homes = []; // Of a key with one of the two.

    public int Requests { get; private set; }

    public List<string> Unexplained { get; } = [];

    public IReadOnlyCollection<string> Words => words.Keys;

    public void Add(
        RecordedRequest request, (string Answer, Arrived? Arrived) nginx, (string Answer, Arrived? Arrived) ours)
    {
        Requests++;
        var before = Unexplained.Count;
        Note(nginx.Arrived, order => order.Nginx);
        Note(ours.Arrived, order => order.Ours);
        if (nginx.Arrived is { } theirs && ours.Arrived is { } mine)
        {
            ComparePlaces(request, theirs, mine);
            if (theirs.Instance[0] == mine.Instance[0])
            {
                CompareTargets(request, theirs.Target, mine.Target);
                CompareFields(request, theirs.Fields, mine.Fields);
            }
        }
        else CompareAnswers(request, nginx, ours);
        if (Unexplained.Count > before)
            Unexplained[^1] += $"\n{request.Method} {request.Host} {request.Target} "
                + $"{string.Join('^', request.Fields)}\nnginx: {nginx.Answer.Split('\r')[0]} {nginx.Arrived}\n"
                + $"ours: {ours.Answer.Split('\r')[0]} {ours.Arrived}";
    }

    /// <summary>In turn by weight: the same counts, in the same order; by a hash: a key at one instance.</summary>
    public void AssertOrders()
    {
        foreach (var set in InTurn)
        {
            var (nginx, ours) = orders[set];
            var common = Math.Min(nginx.Count, ours.Count);
            Assert.True(common > 100, $"{set}: {common} requests");
            Assert.Equal(nginx.Take(common), ours.Take(common));
        }
        foreach (var set in Hashed)
        {
            var (nginx, ours) = orders[set];
            Assert.Equal(ours.Distinct().Order(StringComparer.Ordinal), nginx.Distinct().Order(StringComparer.Ordinal));
        }
    }

    public override string ToString()
    {
        var text = new StringBuilder();
        foreach (var (word, count) in words) text.Append(CultureInfo.InvariantCulture, $"{word} {count}\n");
        foreach (var (set, order) in orders.OrderBy(pair => pair.Key))
            text.Append(CultureInfo.InvariantCulture,
                $"{set}: nginx {Counts(order.Nginx)}; ours {Counts(order.Ours)}\n");
        return text.ToString();
    }

    private static string Counts(List<string> order) =>
        string.Join(' ', order.CountBy(one => one).OrderBy(one => one.Key, StringComparer.Ordinal)
            .Select(one => $"{one.Key} {one.Value}"));

    private void Note(Arrived? arrived, Func<(List<string> Nginx, List<string> Ours), List<string>> of)
    {
        if (arrived is null) return;
        if (!orders.TryGetValue(arrived.Instance[0], out var order)) orders[arrived.Instance[0]] = order = ([], []);
        of(order).Add(arrived.Instance);
    }

    private void ComparePlaces(RecordedRequest request, Arrived nginx, Arrived ours)
    {
        var set = nginx.Instance[0];
        if (set != ours.Instance[0])
        {
            // location /session takes /sessionx, too; a prefix here takes whole segments.
            if (request.Target.StartsWith("/sessionx", StringComparison.Ordinal)
                && (set, ours.Instance[0]) == ('D', 'A'))
                Say("segments");
            else Unexplained.Add("another upstream");
        }
        else if (Hashed.Contains(set, StringComparison.Ordinal)) CompareHomes(request, set, nginx, ours);
        else if (ByChance.Contains(set, StringComparison.Ordinal))
        {
            if (nginx.Instance != ours.Instance) Say("chance");
        }
        else if (!InTurn.Contains(set, StringComparison.Ordinal) && nginx.Instance != ours.Instance)
            Unexplained.Add("another instance");
    }

    // Whatever instance a key has, it keeps, with each of the two.
    private void CompareHomes(RecordedRequest request, char set, Arrived nginx, Arrived ours)
    {
        var octets = request.Client.GetAddressBytes();
        var (theirKey, ourKey) = set switch
        {
            'C' => ($"{octets[0]}.{octets[1]}.{octets[2]}", request.Client.ToString()),
            'D' => (request.ValueOf("sid="), request.ValueOf("sid=")),
            _ => (request.ValueOf("X-User: "), request.ValueOf("X-User: ")),
        };
        if (theirKey.Length > 0 && Home((set, "nginx " + theirKey), nginx) != nginx.Instance)
            Unexplained.Add($"nginx moves {theirKey}");
        if (ourKey.Length == 0)
        {
            // Nobody to keep at a place.
            if (nginx.Instance != ours.Instance) Say("no-key");
            return;
        }
        if (Home((set, "ours " + ourKey), ours) != ours.Instance) Unexplained.Add($"ours moves {ourKey}");
        if (nginx.Instance != ours.Instance) Say("hash");
    }

    private string Home((char Set, string Key) key, Arrived arrived)
    {
        homes.TryAdd(key, arrived.Instance);
        return homes[key];
    }

    private void CompareTargets(RecordedRequest request, string nginx, string ours)
    {
        if (nginx == ours) return;
        if (nginx == request.Target && Normal(nginx) == ours) Say("path-form");
        else if (ours.Contains("//", StringComparison.Ordinal)
            && ours.Replace("//", "/", StringComparison.Ordinal) == nginx)
            Say("slashes");
        else Unexplained.Add($"target {nginx}, {ours}");
    }

    private static string Normal(string target)
    {
        var text = target.Replace("%63", "c", StringComparison.Ordinal).Replace("%7E", "~", StringComparison.Ordinal);
        if (!text.Contains("/.", StringComparison.Ordinal)) return text;
        var query = text.IndexOf('?', StringComparison.Ordinal);
        var kept = new List<string>();
        foreach (var segment in (query < 0 ? text : text[..query]).Split('/'))
        {
            if (segment == "..") kept.RemoveAt(kept.Count - 1);
            else if (segment != ".") kept.Add(segment);
        }
        return string.Join('/', kept) + (query < 0 ? "" : text[query..]);
    }

    private void CompareFields(
        RecordedRequest request, IReadOnlyDictionary<string, string> nginx, IReadOnlyDictionary<string, string> ours)
    {
        foreach (var name in nginx.Keys.Union(ours.Keys, StringComparer.OrdinalIgnoreCase).Select(
            name => name.ToLowerInvariant()).Order(StringComparer.Ordinal))
        {
            var (theirs, mine) = (nginx.GetValueOrDefault(name), ours.GetValueOrDefault(name));
            if (theirs == mine || name == "x-mark") continue;
            switch (name)
            {
                case "via" or "traceparent" or "x-forwarded-host" or "x-forwarded-prefix" when theirs is null:
                case "x-forwarded-for" when theirs is null && mine == request.Client.ToString():
                case "x-forwarded-proto" when theirs is null && mine == "http":
                    Say("tells");
                    break;
                case "x-forwarded-for" when mine == request.Client.ToString() && request.Has(name):
                case "x-forwarded-proto" when mine == "http" && request.Has(name):
                case "x-real-ip" when mine is null && request.Has(name):
                    Say("strangers");
                    break;
                case "connection" when theirs == "close" && mine is null:
                    Say("connection");
                    break;
                case "x-mine" when mine is null && request.Has(name):
                    Say("named");
                    break;
                case "host" when theirs is { } said && !said.Contains('.', StringComparison.Ordinal)
                    && mine?.StartsWith("127.0.0.1:", StringComparison.Ordinal) == true:
                    Say("host");
                    break;
                case "content-length" when theirs is null && mine == "0" && request.Body.Length == 0:
                    Say("no-body");
                    break;
                default:
                    Unexplained.Add($"{name}: {theirs ?? "none"} and {mine ?? "none"}");
                    break;
            }
        }
    }

    private void CompareAnswers(
        RecordedRequest request, (string Answer, Arrived? Arrived) nginx, (string Answer, Arrived? Arrived) ours)
    {
        // A location that ends in a slash, and proxies nothing, does not take its own name without it.
        if (request.Target is "/old" or "/closed" or "/moved" && nginx.Arrived?.Instance[0] == 'A'
            && ours.Arrived is null)
        {
            Say("folder");
            return;
        }
        var (theirs, mine) = (StatusOf(nginx.Answer), StatusOf(ours.Answer));
        if (nginx.Arrived is null != ours.Arrived is null || theirs != mine)
        {
            Unexplained.Add("another answer");
            return;
        }
        var (there, here) = (LocationOf(nginx.Answer), LocationOf(ours.Answer));
        if (there == here) return;
        var host = request.Host.Split(':')[0].ToLowerInvariant();
        if (here?.StartsWith('/') == true && there?.StartsWith($"http://{host}:", StringComparison.Ordinal) == true
            && there.EndsWith(here, StringComparison.Ordinal)) Say("relative");
        else if (there?.EndsWith(request.Target, StringComparison.Ordinal) == true
            && here == there[..^request.Target.Length] + Normal(request.Target)) Say("path-form");
        else Unexplained.Add($"location {there}, {here}");
    }

    private static string StatusOf(string answer) => answer.Length < 12 ? "none" : answer[9..12];

    private static string? LocationOf(string answer) => answer.Split("\r\n")
        .FirstOrDefault(line => line.StartsWith("Location: ", StringComparison.OrdinalIgnoreCase))?[10..];

    private void Say(string word) => words[word] = words.GetValueOrDefault(word) + 1;
}
