CREATE TABLE public.alarm (
    alarm_id character varying(32) NOT NULL,
    run_id character varying(32) NOT NULL,
    channel character varying NOT NULL,
    severity character varying NOT NULL,
    kind character varying NOT NULL,
    message text NOT NULL,
    value double precision,
    limit_value double precision,
    unit character varying NOT NULL,
    raised_us bigint NOT NULL,
    test_time_second double precision,
    times integer NOT NULL,
    last_us bigint NOT NULL,
    acknowledged_us bigint,
    acknowledged_by character varying NOT NULL,
    acknowledge_reason text NOT NULL
);
CREATE TABLE public.cell (
    cell_id character varying(32) NOT NULL,
    name character varying NOT NULL,
    chemistry character varying,
    area_square_centimetre double precision,
    thickness_centimetre double precision,
    mass_gram double precision,
    capacity_ah double precision,
    "symmetric" boolean,
    meta json
);
CREATE TABLE public.cursor (
    run_id character varying(32) NOT NULL,
    cursor text NOT NULL,
    simulation text
);
CREATE TABLE public.cycle (
    run_id character varying(32) NOT NULL,
    cycle_count integer NOT NULL,
    phase character varying,
    seq_first bigint NOT NULL,
    seq_last bigint NOT NULL,
    charging_capacity_ah double precision NOT NULL,
    discharging_capacity_ah double precision NOT NULL,
    charging_energy_wh double precision NOT NULL,
    discharging_energy_wh double precision NOT NULL
);
CREATE TABLE public.event (
    event_id bigint NOT NULL,
    run_id character varying(32) NOT NULL,
    ts_us bigint NOT NULL,
    test_time_second double precision NOT NULL,
    kind character varying NOT NULL,
    message text NOT NULL
);
CREATE SEQUENCE public.event_event_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.event_event_id_seq OWNED BY public.event.event_id;
CREATE TABLE public.feed (
    feed_id bigint NOT NULL,
    journal_id character varying(32) NOT NULL
);
CREATE SEQUENCE public.feed_feed_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.feed_feed_id_seq OWNED BY public.feed.feed_id;
CREATE TABLE public.forwarded (
    run_id character varying(32) NOT NULL,
    seq_next bigint NOT NULL,
    ts_us bigint NOT NULL
);
CREATE TABLE public.impedance_point (
    run_id character varying(32) NOT NULL,
    spectrum_count integer NOT NULL,
    point_index integer NOT NULL,
    ts_us bigint NOT NULL,
    frequency_hertz double precision NOT NULL,
    real_impedance_ohm double precision,
    imaginary_impedance_ohm double precision,
    measured_real_impedance_ohm double precision,
    measured_imaginary_impedance_ohm double precision,
    repeated boolean NOT NULL,
    flags integer NOT NULL
);
CREATE TABLE public.ingest_cursor (
    run_id character varying(32) NOT NULL,
    seq_next bigint NOT NULL
);
CREATE TABLE public.journal (
    journal_id bigint NOT NULL,
    run_id character varying(32) NOT NULL,
    ts_us bigint NOT NULL,
    verb character varying NOT NULL,
    argument character varying DEFAULT ''::character varying NOT NULL,
    who character varying NOT NULL,
    reason text NOT NULL,
    outcome character varying,
    answer text,
    answered_us bigint
);
CREATE SEQUENCE public.journal_journal_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.journal_journal_id_seq OWNED BY public.journal.journal_id;
CREATE TABLE public.meta (
    key character varying NOT NULL,
    value character varying
);
CREATE TABLE public.outbox (
    change_id bigint NOT NULL,
    table_name character varying NOT NULL,
    key text NOT NULL,
    since_us bigint NOT NULL
);
CREATE SEQUENCE public.outbox_change_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.outbox_change_id_seq OWNED BY public.outbox.change_id;
CREATE TABLE public.resistance (
    run_id character varying(32) NOT NULL,
    step_count integer NOT NULL,
    cycle_count integer NOT NULL,
    phase character varying,
    tag character varying,
    name character varying,
    test_time_second double precision NOT NULL,
    ts_us bigint NOT NULL,
    resistance_ohm double precision,
    voltage_volt double precision,
    ambient_temperature_celsius double precision,
    flags integer NOT NULL
);
CREATE TABLE public.result (
    run_id character varying(32) NOT NULL,
    method character varying NOT NULL,
    version character varying NOT NULL,
    inputs_sha256 character varying(64) NOT NULL,
    created_us bigint NOT NULL,
    "values" json NOT NULL,
    flags json NOT NULL
);
CREATE TABLE public.rig (
    rig_id character varying(32) NOT NULL,
    name character varying NOT NULL,
    created_us bigint NOT NULL
);
CREATE TABLE public.run (
    run_id character varying(32) NOT NULL,
    rig_id character varying(32) NOT NULL,
    cell_id character varying(32),
    channel character varying NOT NULL,
    protocol_name character varying NOT NULL,
    protocol_file character varying NOT NULL,
    protocol_text text NOT NULL,
    protocol_sha256 character varying(64) NOT NULL,
    variables json NOT NULL,
    software_version character varying NOT NULL,
    bench json NOT NULL,
    speed character varying NOT NULL,
    seed integer NOT NULL,
    state character varying NOT NULL,
    reason text,
    created_us bigint NOT NULL,
    started_us bigint,
    ended_us bigint
);
CREATE TABLE public.sample (
    run_id character varying(32) NOT NULL,
    seq bigint NOT NULL,
    ts_us bigint NOT NULL,
    test_time_second double precision NOT NULL,
    step_count integer NOT NULL,
    step_id integer NOT NULL,
    cycle_count integer NOT NULL,
    phase character varying,
    tag character varying,
    voltage_volt double precision,
    current_ampere double precision,
    ambient_temperature_celsius double precision,
    charging_capacity_ah double precision NOT NULL,
    discharging_capacity_ah double precision NOT NULL,
    charging_energy_wh double precision NOT NULL,
    discharging_energy_wh double precision NOT NULL,
    applied_pressure_pa double precision,
    flags integer NOT NULL,
    aux json
);
CREATE TABLE public.segment (
    run_id character varying(32) NOT NULL,
    seq_first bigint NOT NULL,
    seq_last bigint NOT NULL,
    path character varying NOT NULL,
    sha256 character varying(64) NOT NULL
);
CREATE TABLE public.spectrum (
    run_id character varying(32) NOT NULL,
    spectrum_count integer NOT NULL,
    step_count integer NOT NULL,
    cycle_count integer NOT NULL,
    phase character varying,
    tag character varying,
    name character varying,
    test_time_second double precision NOT NULL,
    ts_us bigint NOT NULL,
    amplitude_volt double precision,
    amplitude_ampere double precision,
    bias_volt double precision,
    open_circuit_before_volt double precision,
    open_circuit_after_volt double precision,
    correction json,
    ambient_temperature_celsius double precision,
    ambient_temperature_span_kelvin double precision,
    complete boolean NOT NULL
);
CREATE TABLE public.spool (
    arrival bigint NOT NULL,
    run_id character varying(32) NOT NULL,
    seq bigint NOT NULL,
    ts_us bigint NOT NULL,
    test_time_second double precision NOT NULL,
    step_count integer NOT NULL,
    step_id integer NOT NULL,
    cycle_count integer NOT NULL,
    phase character varying,
    tag character varying,
    voltage_volt double precision,
    current_ampere double precision,
    ambient_temperature_celsius double precision,
    charging_capacity_ah double precision NOT NULL,
    discharging_capacity_ah double precision NOT NULL,
    charging_energy_wh double precision NOT NULL,
    discharging_energy_wh double precision NOT NULL,
    applied_pressure_pa double precision,
    flags integer NOT NULL,
    aux json
);
CREATE SEQUENCE public.spool_arrival_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.spool_arrival_seq OWNED BY public.spool.arrival;
CREATE TABLE public.step (
    run_id character varying(32) NOT NULL,
    step_count integer NOT NULL,
    step_id integer NOT NULL,
    cycle_count integer NOT NULL,
    kind character varying NOT NULL,
    words character varying NOT NULL,
    phase character varying,
    tag character varying,
    name character varying,
    began_second double precision NOT NULL,
    ended_second double precision NOT NULL,
    seq_first bigint NOT NULL,
    seq_last bigint NOT NULL,
    capacity_ah double precision NOT NULL,
    energy_wh double precision NOT NULL,
    reason character varying NOT NULL
);
ALTER TABLE ONLY public.event ALTER COLUMN event_id SET DEFAULT nextval('public.event_event_id_seq'::regclass);
ALTER TABLE ONLY public.feed ALTER COLUMN feed_id SET DEFAULT nextval('public.feed_feed_id_seq'::regclass);
ALTER TABLE ONLY public.journal ALTER COLUMN journal_id SET DEFAULT nextval('public.journal_journal_id_seq'::regclass);
ALTER TABLE ONLY public.outbox ALTER COLUMN change_id SET DEFAULT nextval('public.outbox_change_id_seq'::regclass);
ALTER TABLE ONLY public.spool ALTER COLUMN arrival SET DEFAULT nextval('public.spool_arrival_seq'::regclass);
INSERT INTO public.cell VALUES ('e359aa81b83643be9a2cfca727faf624', 'LPS-18', NULL, 0.785, NULL, NULL, 0.002, NULL, 'null');
INSERT INTO public.cursor VALUES ('41152e3877424ac593f94c9ef375cac8', '{"place": {"pc": 3, "step_count": 3, "cycle_count": 1, "cycle_open": true, "step_open": true, "loops": [[2, 1]], "step_began_second": 612.5800000000002, "suspended_second": 0.0, "step_seq_first": 8, "applied_second": 612.5800000000002, "spectrum_count": 1, "spectrum_part": 0, "chamber_celsius": null, "cycle": {"seq_first": 8, "charging_capacity_ah": 1.0166666666666683e-15, "discharging_capacity_ah": 8.168888888888899e-16, "charging_energy_wh": 2.9508550833333303e-15, "discharging_energy_wh": 2.371004148888889e-15}, "disturbed": false, "results": {}}, "progress": {"test_time_second": 4802.66, "seq": 43, "voltage_volt": 3.96312, "current_ampere": 0.000999997, "charging_capacity_ah": 0.0011638805470232671, "discharging_capacity_ah": 8.168888888888899e-16, "charging_energy_wh": 0.004376885783678758, "discharging_energy_wh": 2.371004148888889e-15, "step_capacity_ah": 0.0011638805470222506, "step_energy_wh": 0.004376885783675807, "recorded_second": 4693.66, "recorded_volt": 3.9472, "recorded_ampere": 0.001000002, "bad_readings": 0, "counted_second": 4802.66}, "soak": {"granted_second": null, "in_band_since_second": null, "probed_second": null, "probe_ohm": null, "probing": false}, "watch": {"kind": "", "since_second": null, "reference_second": null, "reference_celsius": null}, "suspension": {"since_second": null, "settled_second": null}, "halt": "", "reason": ""}', '{"cells": {"P1": {"age_second": 0.0, "sample_celsius": null, "branch_volts": [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0], "store": {}, "owed_coulomb": 0.0, "conflicts": 0}, "P2": {"age_second": 0.0, "sample_celsius": null, "branch_volts": [0.0, 0.0, 0.0, 0.0, 0.0], "store": {}, "owed_coulomb": 0.0, "conflicts": 0}, "C1": {"age_second": 4802.51, "sample_celsius": 23.657876791205762, "branch_volts": [0.013968398906699276, 0.008235054978923604, 0.005538484340544319, 0.005538484340544319, 0.005538484340544318, 0.008822220600775102, 0.0009802509762561384, 0.0010815157555470536], "store": {"state_of_charge": 0.5660357590815634, "cycles": 0, "discharged": 0.0, "charged": 0.5838357590815644}, "owed_coulomb": 0.0, "conflicts": 0}, "C2": {"age_second": 0.0, "sample_celsius": null, "branch_volts": [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0], "store": {"state_of_charge": -0.0178, "cycles": 0, "discharged": 0.0, "charged": 0.0}, "owed_coulomb": 0.0, "conflicts": 0}}, "chambers": {"chamber-p": {"elapsed_second": 0.0, "mean_celsius": 22.095930695216698, "ripple_weight": 0.0, "ripple": {"point": 0, "kelvin": -0.06698174545446006}}, "chamber-c": {"elapsed_second": 4800.049999999999, "mean_celsius": 23.609069391282702, "ripple_weight": 0.0, "ripple": {"point": 80, "kelvin": -0.10239672921765296}}}}');
INSERT INTO public.event VALUES (1099511627777, '41152e3877424ac593f94c9ef375cac8', 1795806988299647, 0, 'state', 'starting');
INSERT INTO public.event VALUES (1099511627778, '41152e3877424ac593f94c9ef375cac8', 1795806988799647, 0.5000000000000001, 'database away', 'database postgresql+psycopg://nobody@127.0.0.1:1/none: connection failed: connection to server at "127.0.0.1", port 1 failed: Connection refused Is the server running on that host and accepting TCP/IP connections?; data wait in /tmp/v1data/journal.db');
INSERT INTO public.event VALUES (1099511627779, '41152e3877424ac593f94c9ef375cac8', 1795806988449647, 0.15000000000000002, 'state', 'running');
INSERT INTO public.feed VALUES (1, '382300315198461a9a158e2c326c2b69');
INSERT INTO public.impedance_point VALUES ('41152e3877424ac593f94c9ef375cac8', 1, 0, 1795807590589647, 1000, 26.266242, -4.394285, NULL, NULL, false, 0);
INSERT INTO public.impedance_point VALUES ('41152e3877424ac593f94c9ef375cac8', 1, 1, 1795807590589647, 316.228, 28.134519, -3.185423, NULL, NULL, false, 0);
INSERT INTO public.impedance_point VALUES ('41152e3877424ac593f94c9ef375cac8', 1, 2, 1795807590589647, 100, 29.870735, -4.610063, NULL, NULL, false, 128);
INSERT INTO public.impedance_point VALUES ('41152e3877424ac593f94c9ef375cac8', 1, 3, 1795807590589647, 31.622777, 34.819252, -7.318168, NULL, NULL, false, 0);
INSERT INTO public.impedance_point VALUES ('41152e3877424ac593f94c9ef375cac8', 1, 4, 1795807590589647, 10, 41.418966, -5.8192, NULL, NULL, false, 0);
INSERT INTO public.impedance_point VALUES ('41152e3877424ac593f94c9ef375cac8', 1, 5, 1795807590589647, 3.162278, 44.133263, -3.628547, NULL, NULL, false, 0);
INSERT INTO public.impedance_point VALUES ('41152e3877424ac593f94c9ef375cac8', 1, 6, 1795807594589647, 1, 44.844802, -4.366468, NULL, NULL, false, 0);
INSERT INTO public.impedance_point VALUES ('41152e3877424ac593f94c9ef375cac8', 1, 7, 1795807596689647, 10, 41.652686, -5.784719, NULL, NULL, true, 0);
INSERT INTO public.impedance_point VALUES ('41152e3877424ac593f94c9ef375cac8', 1, 8, 1795807596689647, 3.162278, 43.994259, -3.689486, NULL, NULL, true, 0);
INSERT INTO public.impedance_point VALUES ('41152e3877424ac593f94c9ef375cac8', 1, 9, 1795807600689647, 1, 45.031648, -4.465529, NULL, NULL, true, 0);
INSERT INTO public.ingest_cursor VALUES ('41152e3877424ac593f94c9ef375cac8', 43);
INSERT INTO public.meta VALUES ('schema_version', '1');
INSERT INTO public.meta VALUES ('database_id', '2588cb64ffa24a12ae1539da2dfecb5f');
INSERT INTO public.rig VALUES ('b85519b7869848d5bc963a703add444e', 'rig', 1795806988014326);
INSERT INTO public.run VALUES ('41152e3877424ac593f94c9ef375cac8', 'b85519b7869848d5bc963a703add444e', 'e359aa81b83643be9a2cfca727faf624', 'C1', 'Two short cycles', 'p.yaml', 'protocol: 1
name: Two short cycles
cell: {capacity: 2 mAh, area: 0.785 cm^2}
safety: {voltage: [2.5 V, 4.5 V], current: 20 mA}
record: {every: 120 s}
steps:
  - rest: {for: 10 min}
  - eis: {from: 1 kHz, to: 1 Hz, points_per_decade: 2, amplitude: 5 mV}
  - repeat: 2
    steps:
      - charge: {at: C/2, until: 4.1 V}
      - discharge: {at: C/2, until: 3.0 V}
', 'a13823db6f5546b671fa7cd8c0dfa32b42ee69a689974e4cee2a6191a29b7863', '{}', '0.1.0', '{"file": "sim", "content": {"bench": 1, "instruments": {"pstat-p1": {"driver": "palmsens.methodscript", "connect": "sim"}, "pstat-p2": {"driver": "palmsens.methodscript", "connect": "sim"}, "smu-c1": {"driver": "keithley.smu2450", "connect": "sim", "simulate": {"saved_off_state": "high_impedance"}}, "smu-c2": {"driver": "keithley.smu2450", "connect": "sim", "simulate": {"saved_off_state": "high_impedance"}}, "pstat-c1": {"driver": "palmsens.methodscript", "connect": "sim"}, "pstat-c2": {"driver": "palmsens.methodscript", "connect": "sim"}, "chamber-p": {"driver": "espec.p300", "connect": "sim"}, "chamber-c": {"driver": "espec.p300", "connect": "sim"}}, "channels": {"P1": {"cell": "pstat-p1", "impedance": "pstat-p1", "chamber": "chamber-p", "leads": "0.2 ohm", "simulate": {"cell": "blocking_pellet", "material": "Li6PS5Cl", "area": "0.785 cm^2", "thickness": "0.5 mm"}}, "P2": {"cell": "pstat-p2", "impedance": "pstat-p2", "chamber": "chamber-p", "leads": "0.2 ohm", "simulate": {"cell": "symmetric_pellet", "material": "Li6PS5Cl", "area": "0.785 cm^2", "thickness": "0.5 mm", "interface_resistance": "10 ohm*cm^2", "interface_activation_energy": "0.50 eV"}}, "C1": {"cell": "smu-c1", "impedance": "pstat-c1", "chamber": "chamber-c", "simulate": {"cell": "full_cell", "area": "0.785 cm^2", "capacity": "2 mAh", "alpha_per_cycle": 0.0005}}, "C2": {"cell": "smu-c2", "impedance": "pstat-c2", "chamber": "chamber-c", "simulate": {"cell": "full_cell", "area": "0.785 cm^2", "capacity": "2 mAh", "alpha_per_cycle": 0.0003}}}, "limits": {"P1": {"voltage": ["-1.5 V", "1.5 V"], "current": "50 mA"}, "P2": {"voltage": ["-1.5 V", "1.5 V"], "current": "50 mA"}, "C1": {"voltage": ["2.0 V", "4.4 V"], "current": "20 mA", "temperature": ["-30 degC", "80 degC"]}, "C2": {"voltage": ["2.0 V", "4.4 V"], "current": "20 mA", "temperature": ["-30 degC", "80 degC"]}}}, "identities": {"smu-c1": {"maker": "Keithley", "model": "2450", "serial": "04096331", "firmware": "1.7.12b"}, "pstat-c1": {"maker": "PalmSens", "model": "nexus1", "serial": "NEX1SIM0001", "firmware": "1304 R*, MethodSCRIPT 01.08.00"}, "chamber-c": {"maker": "ESPEC", "model": "P300", "serial": "", "firmware": "P3F00021"}}}', '3000', 1, 'running', '', 1795806988018198, 1795806988299647, NULL);
INSERT INTO public.sample VALUES ('41152e3877424ac593f94c9ef375cac8', 0, 1795806988639647, 0.33999999999999997, 1, 0, 0, '', '', 2.90246, 0, 23.8, 0, 0, 0, 0, NULL, 0, NULL);
INSERT INTO public.sample VALUES ('41152e3877424ac593f94c9ef375cac8', 1, 1795807109379647, 121.08, 1, 0, 0, '', '', 2.90248, 0, 23.8, 2.1666666666666658e-16, 1.8611111111111108e-16, 6.288709861111111e-16, 5.40181486111111e-16, NULL, 0, NULL);
INSERT INTO public.sample VALUES ('41152e3877424ac593f94c9ef375cac8', 2, 1795807229379647, 241.08, 1, 0, 0, '', '', 2.90256, 0, 23.9, 3.9999999999999955e-16, 3.583333333333329e-16, 1.1609925000000003e-15, 1.040053263888889e-15, NULL, 0, NULL);
INSERT INTO public.sample VALUES ('41152e3877424ac593f94c9ef375cac8', 3, 1795807349379647, 361.08, 1, 0, 0, '', '', 2.90242, 0, 23.8, 5.361111111111113e-16, 4.861111111111107e-16, 1.5560526111111118e-15, 1.4109259444444447e-15, NULL, 0, NULL);
INSERT INTO public.sample VALUES ('41152e3877424ac593f94c9ef375cac8', 4, 1795807469379647, 481.08, 1, 0, 0, '', '', 2.90242, -1e-14, 23.8, 7.944444444444459e-16, 6.180555555555558e-16, 2.3058595555555545e-15, 1.7938931666666665e-15, NULL, 0, NULL);
INSERT INTO public.sample VALUES ('41152e3877424ac593f94c9ef375cac8', 5, 1795807588379647, 600.08, 1, 0, 0, '', '', 2.90246, 0, 23.8, 1.0166666666666683e-15, 8.166666666666675e-16, 2.9508550833333303e-15, 2.3703591666666665e-15, NULL, 0, NULL);
INSERT INTO public.sample VALUES ('41152e3877424ac593f94c9ef375cac8', 6, 1795807588459647, 600.1600000000001, 2, 1, 0, '', '', 2.90238, -2e-14, 23.8, 1.0166666666666683e-15, 8.168888888888899e-16, 2.9508550833333303e-15, 2.371004148888889e-15, NULL, 0, NULL);
INSERT INTO public.sample VALUES ('41152e3877424ac593f94c9ef375cac8', 7, 1795807600879647, 612.5800000000002, 2, 1, 0, '', '', 2.90246, 1e-14, 23.8, 1.0166666666666683e-15, 8.168888888888899e-16, 2.9508550833333303e-15, 2.371004148888889e-15, NULL, 0, NULL);
INSERT INTO public.sample VALUES ('41152e3877424ac593f94c9ef375cac8', 8, 1795807601099647, 612.8000000000002, 3, 3, 1, '', '', 2.95136, 0.000999998, 23.8, 3.0555495461420464e-08, 8.168888888888899e-16, 8.943318519614942e-08, 2.371004148888889e-15, NULL, 0, NULL);
INSERT INTO public.sample VALUES ('41152e3877424ac593f94c9ef375cac8', 9, 1795807721959647, 733.6600000000002, 3, 3, 1, '', '', 3.61586, 0.001000001, 23.8, 3.3602777301016976e-05, 8.168888888888899e-16, 0.00011618694332713504, 2.371004148888889e-15, NULL, 0, NULL);
INSERT INTO public.sample VALUES ('41152e3877424ac593f94c9ef375cac8', 10, 1795807841959647, 853.6600000000002, 3, 3, 1, '', '', 3.6251, 0.001000001, 23.8, 6.693611535657253e-05, 8.168888888888899e-16, 0.00023687534934035726, 2.371004148888889e-15, NULL, 0, NULL);
INSERT INTO public.sample VALUES ('41152e3877424ac593f94c9ef375cac8', 11, 1795807961959647, 973.6600000000002, 3, 3, 1, '', '', 3.6337, 0.000999998, 23.8, 0.00010026944216212809, 8.168888888888899e-16, 0.00035785437008317527, 2.371004148888889e-15, NULL, 0, NULL);
INSERT INTO public.sample VALUES ('41152e3877424ac593f94c9ef375cac8', 12, 1795808081959647, 1093.66, 3, 3, 1, '', '', 3.6424, 0.001, 23.8, 0.0001336027854954614, 8.168888888888899e-16, 0.00047912288145417637, 2.371004148888889e-15, NULL, 0, NULL);
INSERT INTO public.sample VALUES ('41152e3877424ac593f94c9ef375cac8', 13, 1795808201959647, 1213.66, 3, 3, 1, '', '', 3.65112, 0.000999997, 23.7, 0.00016693612341212805, 8.168888888888899e-16, 0.0006006818925997625, 2.371004148888889e-15, NULL, 0, NULL);
INSERT INTO public.sample VALUES ('41152e3877424ac593f94c9ef375cac8', 14, 1795808321959647, 1333.66, 3, 3, 1, '', '', 3.65984, 0.001, 23.8, 0.00020026946327323918, 8.168888888888899e-16, 0.0007225306720287317, 2.371004148888889e-15, NULL, 0, NULL);
INSERT INTO public.sample VALUES ('41152e3877424ac593f94c9ef375cac8', 15, 1795808441959647, 1453.66, 3, 3, 1, '', '', 3.66846, 0.001000002, 23.8, 0.00023360279827323914, 8.168888888888899e-16, 0.0008446694587135804, 2.371004148888889e-15, NULL, 0, NULL);
INSERT INTO public.sample VALUES ('41152e3877424ac593f94c9ef375cac8', 16, 1795808561959647, 1573.66, 3, 3, 1, '', '', 3.67724, 0.001, 23.8, 0.00026693612605101696, 8.168888888888899e-16, 0.0009670983966502206, 2.371004148888889e-15, NULL, 0, NULL);
INSERT INTO public.sample VALUES ('41152e3877424ac593f94c9ef375cac8', 17, 1795808681959647, 1693.66, 3, 3, 1, '', '', 3.68596, 0.001000003, 23.8, 0.0003002694553565724, 8.168888888888899e-16, 0.0010898170040232163, 2.371004148888889e-15, NULL, 0, NULL);
INSERT INTO public.sample VALUES ('41152e3877424ac593f94c9ef375cac8', 18, 1795808801959647, 1813.66, 3, 3, 1, '', '', 3.69466, 0.001000003, 23.7, 0.0003336027931343502, 8.168888888888899e-16, 0.0012128262232063722, 2.371004148888889e-15, NULL, 0, NULL);
INSERT INTO public.sample VALUES ('41152e3877424ac593f94c9ef375cac8', 19, 1795808921959647, 1933.66, 3, 3, 1, '', '', 3.70328, 0.000999998, 23.7, 0.00036693612188434994, 8.168888888888899e-16, 0.001336125047925604, 2.371004148888889e-15, NULL, 0, NULL);
INSERT INTO public.sample VALUES ('41152e3877424ac593f94c9ef375cac8', 20, 1795809041959647, 2053.66, 3, 3, 1, '', '', 3.71202, 0.001, 23.8, 0.0004002694538287944, 8.168888888888899e-16, 0.001459714423352706, 2.371004148888889e-15, NULL, 0, NULL);
INSERT INTO public.sample VALUES ('41152e3877424ac593f94c9ef375cac8', 21, 1795809161959647, 2173.66, 3, 3, 1, '', '', 3.72068, 0.001000002, 23.7, 0.0004336027943843498, 8.168888888888899e-16, 0.0015835941196388741, 2.371004148888889e-15, NULL, 0, NULL);
INSERT INTO public.sample VALUES ('41152e3877424ac593f94c9ef375cac8', 22, 1795809281959647, 2293.66, 3, 3, 1, '', '', 3.72946, 0.000999998, 23.8, 0.0004669361268843495, 8.168888888888899e-16, 0.0017077643415225312, 2.371004148888889e-15, NULL, 0, NULL);
INSERT INTO public.sample VALUES ('41152e3877424ac593f94c9ef375cac8', 23, 1795809401959647, 2413.66, 3, 3, 1, '', '', 3.73818, 0.000999997, 23.7, 0.0005002694656343495, 8.168888888888899e-16, 0.0018322246450971783, 2.371004148888889e-15, NULL, 0, NULL);
INSERT INTO public.sample VALUES ('41152e3877424ac593f94c9ef375cac8', 24, 1795809521959647, 2533.66, 3, 3, 1, '', '', 3.74688, 0.001, 23.7, 0.0005336027952176824, 8.168888888888899e-16, 0.0019569761616347833, 2.371004148888889e-15, NULL, 0, NULL);
INSERT INTO public.sample VALUES ('41152e3877424ac593f94c9ef375cac8', 25, 1795809641959647, 2653.66, 3, 3, 1, '', '', 3.75572, 0.001, 23.7, 0.0005669361207732383, 8.168888888888899e-16, 0.0020820186268701974, 2.371004148888889e-15, NULL, 0, NULL);
INSERT INTO public.sample VALUES ('41152e3877424ac593f94c9ef375cac8', 26, 1795809761959647, 2773.66, 3, 3, 1, '', '', 3.76446, 0.000999998, 23.7, 0.0006002694407732381, 8.168888888888899e-16, 0.0022073529462019632, 2.371004148888889e-15, NULL, 0, NULL);
INSERT INTO public.sample VALUES ('41152e3877424ac593f94c9ef375cac8', 27, 1795809881959647, 2893.66, 3, 3, 1, '', '', 3.7732, 0.000999996, 23.7, 0.0006336027868843486, 8.168888888888899e-16, 0.002332979130461471, 2.371004148888889e-15, NULL, 0, NULL);
INSERT INTO public.sample VALUES ('41152e3877424ac593f94c9ef375cac8', 28, 1795810001959647, 3013.66, 3, 3, 1, '', '', 3.78196, 0.001000001, 23.7, 0.000666936120634348, 8.168888888888899e-16, 0.002458898693150893, 2.371004148888889e-15, NULL, 0, NULL);
INSERT INTO public.sample VALUES ('41152e3877424ac593f94c9ef375cac8', 29, 1795810121959647, 3133.66, 3, 3, 1, '', '', 3.79092, 0.001000003, 23.7, 0.000700269455634348, 8.168888888888899e-16, 0.0025851128494777035, 2.371004148888889e-15, NULL, 0, NULL);
INSERT INTO public.sample VALUES ('41152e3877424ac593f94c9ef375cac8', 30, 1795810241959647, 3253.66, 3, 3, 1, '', '', 3.79974, 0.000999999, 23.7, 0.0007336027836899034, 8.168888888888899e-16, 0.0027116240544410894, 2.371004148888889e-15, NULL, 0, NULL);
INSERT INTO public.sample VALUES ('41152e3877424ac593f94c9ef375cac8', 31, 1795810361959647, 3373.66, 3, 3, 1, '', '', 3.80882, 0.000999998, 23.7, 0.0007669361038287922, 8.168888888888899e-16, 0.002838435009785273, 2.371004148888889e-15, NULL, 0, NULL);
INSERT INTO public.sample VALUES ('41152e3877424ac593f94c9ef375cac8', 32, 1795810481959647, 3493.66, 3, 3, 1, '', '', 3.81806, 0.000999999, 23.7, 0.0008002694481343474, 8.168888888888899e-16, 0.002965550490512152, 2.371004148888889e-15, NULL, 0, NULL);
INSERT INTO public.sample VALUES ('41152e3877424ac593f94c9ef375cac8', 33, 1795810601959647, 3613.66, 3, 3, 1, '', '', 3.82756, 0.001, 23.7, 0.0008336027799399025, 8.168888888888899e-16, 0.0030929773541155943, 2.371004148888889e-15, NULL, 0, NULL);
INSERT INTO public.sample VALUES ('41152e3877424ac593f94c9ef375cac8', 34, 1795810721959647, 3733.66, 3, 3, 1, '', '', 3.83736, 0.000999998, 23.7, 0.0008669361079954575, 8.168888888888899e-16, 0.003220724717220024, 2.371004148888889e-15, NULL, 0, NULL);
INSERT INTO public.sample VALUES ('41152e3877424ac593f94c9ef375cac8', 35, 1795810841959647, 3853.66, 3, 3, 1, '', '', 3.84766, 0.000999999, 23.6, 0.0009002694567454572, 8.168888888888899e-16, 0.003348807156996961, 2.371004148888889e-15, NULL, 0, NULL);
INSERT INTO public.sample VALUES ('41152e3877424ac593f94c9ef375cac8', 36, 1795810961959647, 3973.66, 3, 3, 1, '', '', 3.85862, 0.001, 23.7, 0.0009336027991065685, 8.168888888888899e-16, 0.003477243091753778, 2.371004148888889e-15, NULL, 0, NULL);
INSERT INTO public.sample VALUES ('41152e3877424ac593f94c9ef375cac8', 37, 1795811081959647, 4093.66, 3, 3, 1, '', '', 3.87036, 0.000999996, 23.6, 0.0009669361157732347, 8.168888888888899e-16, 0.003606058063472156, 2.371004148888889e-15, NULL, 0, NULL);
INSERT INTO public.sample VALUES ('41152e3877424ac593f94c9ef375cac8', 38, 1795811201959647, 4213.66, 3, 3, 1, '', '', 3.88338, 0.000999999, 23.6, 0.001000269452856571, 8.168888888888899e-16, 0.0037352855419137345, 2.371004148888889e-15, NULL, 0, NULL);
INSERT INTO public.sample VALUES ('41152e3877424ac593f94c9ef375cac8', 39, 1795811321959647, 4333.66, 3, 3, 1, '', '', 3.89752, 0.000999998, 23.7, 0.0010336027824399106, 8.168888888888899e-16, 0.0038649646967537444, 2.371004148888889e-15, NULL, 0, NULL);
INSERT INTO public.sample VALUES ('41152e3877424ac593f94c9ef375cac8', 40, 1795811441959647, 4453.66, 3, 3, 1, '', '', 3.91314, 0.000999998, 23.6, 0.0010669361177176938, 8.168888888888899e-16, 0.0039951395460166, 2.371004148888889e-15, NULL, 0, NULL);
INSERT INTO public.sample VALUES ('41152e3877424ac593f94c9ef375cac8', 41, 1795811561959647, 4573.66, 3, 3, 1, '', '', 3.92978, 0.001000002, 23.6, 0.0011002694482732552, 8.168888888888899e-16, 0.00412585216848245, 2.371004148888889e-15, NULL, 0, NULL);
INSERT INTO public.sample VALUES ('41152e3877424ac593f94c9ef375cac8', 42, 1795811681959647, 4693.66, 3, 3, 1, '', '', 3.9472, 0.001000002, 23.6, 0.001133602771328818, 8.168888888888899e-16, 0.004257133308595116, 2.371004148888889e-15, NULL, 0, NULL);
INSERT INTO public.spectrum VALUES ('41152e3877424ac593f94c9ef375cac8', 1, 2, 0, '', '', '', 600.2900000000001, 1795807588589647, 0.005, NULL, NULL, 2.90238, 2.90246, 'null', 23.800000000000004, 0, true);
INSERT INTO public.step VALUES ('41152e3877424ac593f94c9ef375cac8', 1, 0, 0, 'rest', 'rest for 10 min', '', '', '', 0, 600.08, 0, 5, 2.0000000000000002e-16, 5.804959166666666e-16, 'for 10 min');
INSERT INTO public.step VALUES ('41152e3877424ac593f94c9ef375cac8', 2, 1, 0, 'eis', 'EIS 1 kHz to 1 Hz, 2 points per decade, 5 mV', '', '', '', 600.08, 612.5800000000002, 6, 7, -2.222222222223359e-19, -6.449822222225522e-19, 'spectrum complete');
SELECT pg_catalog.setval('public.event_event_id_seq', 1, false);
SELECT pg_catalog.setval('public.feed_feed_id_seq', 1, true);
SELECT pg_catalog.setval('public.journal_journal_id_seq', 1, false);
SELECT pg_catalog.setval('public.outbox_change_id_seq', 1, false);
SELECT pg_catalog.setval('public.spool_arrival_seq', 1, false);
ALTER TABLE ONLY public.alarm
    ADD CONSTRAINT alarm_pkey PRIMARY KEY (alarm_id);
ALTER TABLE ONLY public.cell
    ADD CONSTRAINT cell_name_key UNIQUE (name);
ALTER TABLE ONLY public.cell
    ADD CONSTRAINT cell_pkey PRIMARY KEY (cell_id);
ALTER TABLE ONLY public.cursor
    ADD CONSTRAINT cursor_pkey PRIMARY KEY (run_id);
ALTER TABLE ONLY public.cycle
    ADD CONSTRAINT cycle_pkey PRIMARY KEY (run_id, cycle_count);
ALTER TABLE ONLY public.event
    ADD CONSTRAINT event_pkey PRIMARY KEY (event_id);
ALTER TABLE ONLY public.feed
    ADD CONSTRAINT feed_journal_id_key UNIQUE (journal_id);
ALTER TABLE ONLY public.feed
    ADD CONSTRAINT feed_pkey PRIMARY KEY (feed_id);
ALTER TABLE ONLY public.forwarded
    ADD CONSTRAINT forwarded_pkey PRIMARY KEY (run_id);
ALTER TABLE ONLY public.impedance_point
    ADD CONSTRAINT impedance_point_pkey PRIMARY KEY (run_id, spectrum_count, point_index);
ALTER TABLE ONLY public.ingest_cursor
    ADD CONSTRAINT ingest_cursor_pkey PRIMARY KEY (run_id);
ALTER TABLE ONLY public.journal
    ADD CONSTRAINT journal_pkey PRIMARY KEY (journal_id);
ALTER TABLE ONLY public.meta
    ADD CONSTRAINT meta_pkey PRIMARY KEY (key);
ALTER TABLE ONLY public.outbox
    ADD CONSTRAINT outbox_pkey PRIMARY KEY (change_id);
ALTER TABLE ONLY public.resistance
    ADD CONSTRAINT resistance_pkey PRIMARY KEY (run_id, step_count);
ALTER TABLE ONLY public.result
    ADD CONSTRAINT result_pkey PRIMARY KEY (run_id, method, inputs_sha256);
ALTER TABLE ONLY public.rig
    ADD CONSTRAINT rig_pkey PRIMARY KEY (rig_id);
ALTER TABLE ONLY public.run
    ADD CONSTRAINT run_pkey PRIMARY KEY (run_id);
ALTER TABLE ONLY public.sample
    ADD CONSTRAINT sample_pkey PRIMARY KEY (run_id, seq);
ALTER TABLE ONLY public.segment
    ADD CONSTRAINT segment_pkey PRIMARY KEY (run_id, seq_first);
ALTER TABLE ONLY public.spectrum
    ADD CONSTRAINT spectrum_pkey PRIMARY KEY (run_id, spectrum_count);
ALTER TABLE ONLY public.spool
    ADD CONSTRAINT spool_pkey PRIMARY KEY (arrival);
ALTER TABLE ONLY public.step
    ADD CONSTRAINT step_pkey PRIMARY KEY (run_id, step_count);
CREATE INDEX ix_alarm_run_id ON public.alarm USING btree (run_id);
CREATE INDEX ix_event_run_id ON public.event USING btree (run_id);
CREATE INDEX ix_journal_run_id ON public.journal USING btree (run_id);
CREATE INDEX journal_unanswered ON public.journal USING btree (run_id) WHERE (outcome IS NULL);
CREATE INDEX outbox_row ON public.outbox USING btree (table_name, key);
ALTER TABLE ONLY public.cursor
    ADD CONSTRAINT cursor_run_id_fkey FOREIGN KEY (run_id) REFERENCES public.run(run_id);
ALTER TABLE ONLY public.run
    ADD CONSTRAINT run_cell_id_fkey FOREIGN KEY (cell_id) REFERENCES public.cell(cell_id);
ALTER TABLE ONLY public.run
    ADD CONSTRAINT run_rig_id_fkey FOREIGN KEY (rig_id) REFERENCES public.rig(rig_id);
