using System.Buffers.Binary;
using System.Text;

namespace Groundwork.Wire.Dns;

/// <summary>Writes queries and answers. What does not fit is left out whole, and said.</summary>
public static class DnsWriter
{
    private const ushort Pointer = 0xC000;
    private const ushort ExplanationOption = 15;
    private const ushort SubnetOption = 8;
    private const int OptBytes = 11;

    /// <summary>Bytes of the words of an explanation: they are for people, and must not fill a datagram.</summary>
    private const int MaxExplanationBytes = 120;

    /// <summary>Places of names that later ones may point to.</summary>
    private const int MaxPlaces = 32;

    /// <summary>A question of ours.</summary>
    public static int WriteQuery(DnsQuery query, Span<byte> into)
    {
        var header = new DnsHeader(query.Id, (ushort)(query.RecursionDesired ? 0x0100 : 0), 1, 0, 0, 1);
        header.Write(into);
        var at = DnsLimits.HeaderBytes;
        query.Name.Wire.CopyTo(into[at..]);
        at += query.Name.Wire.Length;
        BinaryPrimitives.WriteUInt16BigEndian(into[at..], (ushort)query.Type);
        BinaryPrimitives.WriteUInt16BigEndian(into[(at + 2)..], query.Class);
        return at + 4 + WriteOpt(into[(at + 4)..], DnsRcode.NoError, dnssecOk: false, []);
    }

    /// <summary>
    /// The answer to a query, in as many bytes as there are; at least <see cref="DnsLimits.PlainDatagramBytes"/>.
    /// </summary>
    /// <param name="response">Null: the header alone, with the query's refusal.</param>
    /// <returns>How many bytes.</returns>
    public static int WriteResponse(DnsQuery query, DnsResponse? response, Span<byte> into)
    {
        var rcode = response?.Rcode ?? query.Refusal;
        Span<byte> options = stackalloc byte[MaxExplanationBytes + 40];
        options = query.HasEdns && response is not null ? options[..WriteOptions(query, response, options)] : [];
        var optBytes = query.HasEdns ? OptBytes + options.Length : 0;
        var writing = new Writing(into[..(into.Length - optBytes)], stackalloc ushort[MaxPlaces]);
        if (query.HasQuestion) writing.Question(query);
        var (answers, authority, additional, truncated) = (0, 0, 0, false);
        if (response is not null)
        {
            answers = writing.Records(response.Answers);
            truncated = answers < response.Answers.Count;
            if (!truncated) authority = writing.Records(response.Authority);
            truncated |= authority < response.Authority.Count;
            if (!truncated) additional = writing.Records(response.Additional); // Nobody is owed these.
        }
        var length = writing.Length;
        if (query.HasEdns)
        {
            length += WriteOpt(into[length..], rcode, query.DnssecOk, options);
            additional++;
        }
        var flags = 0x8000 | (query.Opcode << 11) | ((int)rcode & 0xF)
            | (query.RecursionDesired ? 0x0100 : 0) | (query.CheckingDisabled ? 0x0010 : 0)
            | (response is { Authoritative: true } ? 0x0400 : 0) | (truncated ? 0x0200 : 0)
            | (response is { RecursionAvailable: true } ? 0x0080 : 0);
        new DnsHeader(
            query.Id, (ushort)flags, (ushort)(query.HasQuestion ? 1 : 0), (ushort)answers, (ushort)authority,
            (ushort)additional).Write(into);
        return length;
    }

    /// <summary>An answer without records that says: ask over TCP.</summary>
    public static int WriteTruncated(DnsQuery query, Span<byte> into)
    {
        var length = WriteResponse(query, new DnsResponse(), into);
        into[2] |= 0x02;
        return length;
    }

    private static int WriteOptions(DnsQuery query, DnsResponse response, Span<byte> into)
    {
        var length = 0;
        if (query.ClientSubnet is { } subnet)
        {
            var address = subnet.Address.GetAddressBytes();
            var bytes = (subnet.PrefixLength + 7) / 8;
            BinaryPrimitives.WriteUInt16BigEndian(into, SubnetOption);
            BinaryPrimitives.WriteUInt16BigEndian(into[2..], (ushort)(4 + bytes));
            BinaryPrimitives.WriteUInt16BigEndian(into[4..], (ushort)(address.Length == 4 ? 1 : 2));
            into[6] = subnet.PrefixLength;
            into[7] = Math.Min(response.SubnetScope ?? 0, subnet.PrefixLength);
            address.AsSpan(0, bytes).CopyTo(into[8..]);
            length = 8 + bytes;
        }
        if (response.Explanation is not { } explanation) return length;
        var text = into.Slice(length + 6, MaxExplanationBytes);
        // Whole characters, as many as fit.
        Encoder encoder = Encoding.UTF8.GetEncoder();
        encoder.Convert(explanation.Text, text, flush: true, out _, out var written, out _);
        BinaryPrimitives.WriteUInt16BigEndian(into[length..], ExplanationOption);
        BinaryPrimitives.WriteUInt16BigEndian(into[(length + 2)..], (ushort)(2 + written));
        BinaryPrimitives.WriteUInt16BigEndian(into[(length + 4)..], explanation.Code);
        return length + 6 + written;
    }

    private static int WriteOpt(Span<byte> into, DnsRcode rcode, bool dnssecOk, ReadOnlySpan<byte> options)
    {
        into[0] = 0;
        BinaryPrimitives.WriteUInt16BigEndian(into[1..], (ushort)DnsType.Opt);
        BinaryPrimitives.WriteUInt16BigEndian(into[3..], DnsLimits.MaxDatagramBytes);
        into[5] = (byte)((int)rcode >> 4);
        into[6] = 0; // The one version there is.
        BinaryPrimitives.WriteUInt16BigEndian(into[7..], (ushort)(dnssecOk ? 0x8000 : 0));
        BinaryPrimitives.WriteUInt16BigEndian(into[9..], (ushort)options.Length);
        options.CopyTo(into[OptBytes..]);
        return OptBytes + options.Length;
    }

    private readonly record struct DnsHeader(
        ushort Id, ushort Flags, ushort Questions, ushort Answers, ushort Authority, ushort Additional)
    {
        public void Write(Span<byte> into)
        {
            BinaryPrimitives.WriteUInt16BigEndian(into, Id);
            BinaryPrimitives.WriteUInt16BigEndian(into[2..], Flags);
            BinaryPrimitives.WriteUInt16BigEndian(into[4..], Questions);
            BinaryPrimitives.WriteUInt16BigEndian(into[6..], Answers);
            BinaryPrimitives.WriteUInt16BigEndian(into[8..], Authority);
            BinaryPrimitives.WriteUInt16BigEndian(into[10..], Additional);
        }
    }

    private ref struct Writing(Span<byte> message, Span<ushort> places)
    {
        private readonly Span<byte> message = message;
        private readonly Span<ushort> places = places;
        private int known;

        public int Length { get; private set; } = DnsLimits.HeaderBytes;

        public void Question(DnsQuery query)
        {
            // Fits: the longest name and what follows are less than any message may have.
            TryName(query.Name);
            BinaryPrimitives.WriteUInt16BigEndian(message[Length..], (ushort)query.Type);
            BinaryPrimitives.WriteUInt16BigEndian(message[(Length + 2)..], query.Class);
            Length += 4;
        }

        /// <summary>As many as fit, in their order.</summary>
        public int Records(List<DnsRecord> records)
        {
            var count = 0;
            while (count < records.Count && TryRecord(records[count])) count++;
            return count;
        }

        private bool TryRecord(in DnsRecord record)
        {
            var (before, knownBefore) = (Length, known);
            var content = record.Content.Span;
            if (TryName(record.Name) && Length + 10 + content.Length <= message.Length)
            {
                BinaryPrimitives.WriteUInt16BigEndian(message[Length..], (ushort)record.Type);
                BinaryPrimitives.WriteUInt16BigEndian(message[(Length + 2)..], DnsLimits.ClassInternet);
                BinaryPrimitives.WriteUInt32BigEndian(message[(Length + 4)..], record.Ttl);
                BinaryPrimitives.WriteUInt16BigEndian(message[(Length + 8)..], (ushort)content.Length);
                content.CopyTo(message[(Length + 10)..]);
                Length += 10 + content.Length;
                return true;
            }
            (Length, known) = (before, knownBefore);
            return false;
        }

        // The longest end of the name that stands in the message already is pointed to.
        private bool TryName(DnsName name)
        {
            var wire = name.Wire;
            var at = 0;
            while (wire[at] != 0 && FindPlace(wire[at..]) < 0) at += wire[at] + 1;
            var pointed = wire[at] != 0 ? FindPlace(wire[at..]) : -1;
            var bytes = at + (pointed < 0 ? 1 : 2);
            if (Length + bytes > message.Length) return false;
            wire[..at].CopyTo(message[Length..]);
            for (var label = 0; label < at; label += wire[label] + 1) AddPlace(Length + label);
            if (pointed < 0) message[Length + at] = 0;
            else BinaryPrimitives.WriteUInt16BigEndian(message[(Length + at)..], (ushort)(Pointer | pointed));
            Length += bytes;
            return true;
        }

        private void AddPlace(int place)
        {
            if (known < places.Length && place < Pointer >> 2) places[known++] = (ushort)place;
        }

        private readonly int FindPlace(ReadOnlySpan<byte> suffix)
        {
            for (var index = 0; index < known; index++)
                if (IsAt(places[index], suffix)) return places[index];
            return -1;
        }

        private readonly bool IsAt(int place, ReadOnlySpan<byte> suffix)
        {
            var at = 0;
            while (true)
            {
                if ((message[place] & 0xC0) == 0xC0)
                    place = BinaryPrimitives.ReadUInt16BigEndian(message[place..]) & 0x3FFF;
                var length = message[place];
                if (length != suffix[at]) return false;
                if (length == 0) return true;
                // Byte for byte: an answer repeats the case of its question.
                if (!message.Slice(place + 1, length).SequenceEqual(suffix.Slice(at + 1, length))) return false;
                place += length + 1;
                at += length + 1;
            }
        }
    }
}
