using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace Groundwork.Communication.Tests.Gateway.Correct;

/// <summary>What a client does before it sends on.</summary>
internal enum ClientWait
{
    /// <summary>Nothing.</summary>
    None,

    /// <summary>Waits for one more whole answer.</summary>
    Answer,

    /// <summary>Waits for one more answer, be it an interim one.</summary>
    Interim,

    /// <summary>Waits until the instance has seen something.</summary>
    Instance,

    /// <summary>Waits until nothing happens any more.</summary>
    Rest,
}

/// <summary>What a client does: waits, then sends bytes or says that it sends no more.</summary>
/// <param name="Answers">Whole answers before it.</param>
internal sealed record ClientStep(
    byte[] Bytes, ClientWait Wait = ClientWait.None, int Answers = 0, bool Ends = false);

/// <summary>
/// What an instance does once it has a request: bytes with a breath between them, then perhaps an end.
/// </summary>
internal sealed record InstanceAnswer(IReadOnlyList<byte[]> Pieces, bool Early, bool Closes, bool Resets);

/// <summary>One case of <c>cases.txt</c>; the file's head says how it is written.</summary>
internal sealed record ConformanceCase(
    string Section,
    string Name,
    IReadOnlyList<ClientStep> Client,
    IReadOnlyList<InstanceAnswer> Instance,
    IReadOnlyList<string> InstanceFields,
    IReadOnlyList<string> ClientFields,
    string? Because,
    bool HaproxyVaries)
{
    /// <summary>True when bytes of another protocol may follow.</summary>
    public bool Tunnels => Instance.Any(answer => answer.Pieces[0].AsSpan().StartsWith("HTTP/1.1 101"u8));

    /// <summary>True when the first answer has no body, whatever it says.</summary>
    public bool AsksHead => Client.Count > 0 && Client[0].Bytes.AsSpan().StartsWith("HEAD "u8);
}

/// <summary>Reads the file of cases.</summary>
internal sealed class ConformanceCases
{
    private readonly List<ConformanceCase> all = [];
    private readonly SortedDictionary<string, string> reasons = new(StringComparer.Ordinal);
    private string section = "";

    public static string Directory => Path.Combine(AppContext.BaseDirectory, "Gateway", "Correct", "Cases");

    public IReadOnlyList<ConformanceCase> All => all;

    /// <summary>Why there is a disagreement, by the word that the cases use.</summary>
    public IReadOnlyDictionary<string, string> Reasons => reasons;

    public static ConformanceCases Read()
    {
        var cases = new ConformanceCases();
        Draft? draft = null;
        foreach (var line in File.ReadLines(Path.Combine(Directory, "cases.txt")))
        {
            if (line.Length == 0 || line.StartsWith("#  ", StringComparison.Ordinal) || line == "#") continue;
            if (line.StartsWith("## ", StringComparison.Ordinal)) cases.section = line[3..];
            else if (line.StartsWith("### ", StringComparison.Ordinal))
            {
                cases.Add(draft);
                draft = new Draft(cases.section, line[4..]);
            }
            else if (line[0] == '@')
            {
                var colon = line.IndexOf(':', StringComparison.Ordinal);
                cases.reasons.Add(line[1..colon], line[(colon + 1)..].Trim());
            }
            else (draft ?? throw new FormatException($"Before the first case: {line}")).Take(line);
        }
        cases.Add(draft);
        return cases;
    }

    private void Add(Draft? draft)
    {
        if (draft is null) return;
        var made = draft.Make();
        if (all.Any(known => known.Name == made.Name)) throw new FormatException($"Twice: {made.Name}");
        if (made.Because is not null && !reasons.ContainsKey(made.Because))
            throw new FormatException($"'{made.Name}' has a reason that is not told: {made.Because}");
        all.Add(made);
    }

    /// <summary>Escapes of C, and <c>{text*count}</c> for repetition.</summary>
    internal static byte[] Unescape(string text)
    {
        var repeated = Repetition.Replace(
            text,
            match => new StringBuilder().Insert(
                0, match.Groups[1].Value, int.Parse(match.Groups[2].Value, CultureInfo.InvariantCulture)).ToString());
        var bytes = new List<byte>(repeated.Length);
        for (var at = 0; at < repeated.Length; at++)
        {
            var character = repeated[at];
            if (character != '\\')
            {
                bytes.AddRange(Encoding.UTF8.GetBytes([character]));
                continue;
            }
            switch (repeated[++at])
            {
                case 'r': bytes.Add((byte)'\r'); break;
                case 'n': bytes.Add((byte)'\n'); break;
                case 't': bytes.Add((byte)'\t'); break;
                case 's': bytes.Add((byte)' '); break;
                case '\\': bytes.Add((byte)'\\'); break;
                case 'x':
                    bytes.Add(byte.Parse(
                        repeated.AsSpan(at + 1, 2), NumberStyles.HexNumber, CultureInfo.InvariantCulture));
                    at += 2;
                    break;
                default: throw new FormatException($"No escape: \\{repeated[at]}");
            }
        }
        return [.. bytes];
    }

    private static readonly Regex Repetition = new(@"\{([^{}*]+)\*(\d+)\}", RegexOptions.NonBacktracking);

    /// <summary>A case while it is read.</summary>
    private sealed class Draft(string section, string name)
    {
        private readonly List<ClientStep> client = [];
        private readonly List<InstanceAnswer> answers = [];
        private readonly List<byte> sending = [];
        private readonly List<byte> answering = [];
        private readonly List<byte[]> pieces = [];
        private string[] instanceFields = [];
        private string[] clientFields = [];
        private string? because;
        private bool varies;
        private bool early;
        private bool closes;
        private bool resets;
        private bool answered;
        private int waitFor;

        public void Take(string line)
        {
            if (line[0] == '>') TakeClient(line[1..]);
            else if (line[0] == '<') TakeInstance(line[1..]);
            else if (line.StartsWith("instance sees: ", StringComparison.Ordinal))
                instanceFields = line[15..].Split(", ");
            else if (line.StartsWith("client sees: ", StringComparison.Ordinal)) clientFields = line[13..].Split(", ");
            else if (line.StartsWith("because: ", StringComparison.Ordinal)) because = line[9..];
            else if (line == "haproxy varies") varies = true;
            else throw new FormatException($"In '{name}': {line}");
        }

        public ConformanceCase Make()
        {
            Flush();
            FlushAnswer();
            return new ConformanceCase(
                section, name, client, answers, instanceFields, clientFields, because, varies);
        }

        private void TakeClient(string rest)
        {
            switch (rest)
            {
                case "wait": Wait(ClientWait.Answer, ++waitFor); break;
                case "wait interim": Wait(ClientWait.Interim, waitFor + 1); break;
                case "pause": Wait(ClientWait.Instance, 0); break;
                case "rest": Wait(ClientWait.Rest, 0); break;
                case "end":
                    Flush();
                    client.Add(new ClientStep([], Ends: true));
                    break;
                default:
                    Append(sending, rest);
                    break;
            }
        }

        private void Wait(ClientWait what, int answers)
        {
            Flush();
            client.Add(new ClientStep([], what, answers));
        }

        private void TakeInstance(string rest)
        {
            answered = true;
            switch (rest)
            {
                case "early": early = true; break;
                case "close": closes = true; break;
                case "reset": resets = true; break;
                case "next": FlushAnswer(); break;
                case "pause":
                    pieces.Add([.. answering]);
                    answering.Clear();
                    break;
                default: Append(answering, rest); break;
            }
        }

        // "> text" is a line with CR LF, ">= text" is the text alone, ">" an empty line.
        private void Append(List<byte> to, string rest)
        {
            if (rest.StartsWith("= ", StringComparison.Ordinal)) to.AddRange(Unescape(rest[2..]));
            else if (rest.Length == 0) to.AddRange("\r\n"u8.ToArray());
            else if (rest[0] == ' ')
            {
                to.AddRange(Unescape(rest[1..]));
                to.AddRange("\r\n"u8.ToArray());
            }
            else throw new FormatException($"In '{name}': {rest}");
        }

        private void Flush()
        {
            if (sending.Count == 0) return;
            client.Add(new ClientStep([.. sending]));
            sending.Clear();
        }

        private void FlushAnswer()
        {
            if (!answered) return;
            pieces.Add([.. answering]);
            answers.Add(new InstanceAnswer([.. pieces], early, closes, resets));
            answering.Clear();
            pieces.Clear();
            early = closes = resets = answered = false;
        }
    }
}
